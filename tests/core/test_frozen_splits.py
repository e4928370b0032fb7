"""Frozen splits are known by their content, fit or are refused, and are looked up patch by patch."""

import hashlib

import pandas as pd
import pytest

from sthelar_build.core.frozen_splits import content_hash, frozen_splits, misfit


def splits():
    return pd.DataFrame(
        {
            "slide": ["a", "a", "a", "b"],
            "patch_id": [0, 1, 2, 0],
            "split": ["train", None, None, "test"],
            "reason": [None, "guard", "no_nucleus", None],
        }
    )


def test_the_hash_is_that_of_the_sorted_lines():
    text = "a\t0\ttrain\na\t1\t\na\t2\t\nb\t0\ttest\n"
    assert content_hash(splits()) == hashlib.sha256(text.encode()).hexdigest()


def test_order_and_reasons_do_not_change_the_hash_but_every_split_does():
    assert content_hash(splits().iloc[::-1].assign(reason="x")) == content_hash(splits())
    moved = splits()
    moved.loc[3, "split"] = "valid"
    assert content_hash(moved) != content_hash(splits())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t, None),
        (lambda t: t.iloc[:3], "1 of slide b instead of 0"),
        (lambda t: t.iloc[1:], "3 of slide a instead of 2"),
        (lambda t: t.assign(patch_id=[0, 1, 3, 0]), "others: 1 of 4 have another number"),
    ],
)
def test_splits_of_other_patches_do_not_fit(change, words):
    assert misfit(splits(), change(splits())[["slide", "patch_id"]]) == words


def test_a_patch_that_stands_there_twice_does_not_fit():
    assert "twice" in misfit(pd.concat([splits(), splits()]), splits())


def test_patches_keep_their_split_their_guard_and_those_that_were_out_stay_out():
    kept = splits().iloc[[3, 2, 1, 0]][["slide", "patch_id"]]
    assigned, why = frozen_splits(splits(), kept)
    assert assigned.tolist() == [2, -1, -1, 0]
    assert why.tolist() == [None, "frozen", "guard", None]
