"""Splits are planned, or taken from a file; what was written is audited against what it promises."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.chosen_splits import ChosenSplits, audited, chosen_splits
from sthelar_build.io.splits import write_splits
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.settings.collect import CollectSettings

SIDE_PX = 256
NUCLEI = {"s": pd.DataFrame({"patch_id": [0, 1, 4], "nucleus_id": [7, 7, 8]}).astype(np.uint32)}


def patches():
    """Five patches in a row that do not touch; patches 0 and 1 show one nucleus."""
    table = pd.DataFrame(
        {"slide": "s", "patient": "p", "tissue": "Skin", "patch_id": np.arange(5, dtype=np.uint32)}
    )
    return table.assign(x_px=np.arange(5) * 300, y_px=0, **dict.fromkeys(PATCH_CLASS_NAMES, 1))


def written(*splits):
    reason = [None if split else "guard" for split in splits]
    return patches()[["slide", "patch_id"]].assign(split=list(splits), reason=reason)


def chosen(**settings):
    return chosen_splits(CollectSettings(**settings), "40x", patches(), patches(), SIDE_PX, NUCLEI)


def test_new_splits_follow_the_settings():
    found = chosen(strategy="space", guard_px=0)
    assert (found.strategy, found.file) == ("space", None)
    assert set(found.assigned) - {-1} == {0, 1, 2}


def test_frozen_splits_are_taken_from_the_file_of_the_scale(tmp_path):
    splits = written("train", "train", None, "test", "valid")
    write_splits(tmp_path / "40x.parquet", splits, {}, {"strategy": "space"})
    found = chosen(frozen_splits=tmp_path / "{scale}.parquet")
    assert found.assigned.tolist() == [0, 0, -1, 2, 1]
    assert found.unassigned.tolist() == [None, None, "guard", None, None]
    assert (found.strategy, found.file) == ("space", tmp_path / "40x.parquet")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"40x\.parquet: expected a parquet file, found nothing"):
        chosen(frozen_splits=tmp_path / "40x.parquet")


def test_a_clean_split_passes_and_a_leak_is_our_mistake_or_that_of_the_file(tmp_path):
    new = ChosenSplits("space", np.zeros(5, np.int8))
    clean = written("train", "train", "valid", "test", "test")
    assert audited(clean, patches(), SIDE_PX, NUCLEI, new).shared_nuclei == 0
    leaking = written("train", "test", "valid", "test", "test")
    with pytest.raises(RuntimeError, match="the splits by space leak: shared_nuclei 1"):
        audited(leaking, patches(), SIDE_PX, NUCLEI, new)
    frozen = ChosenSplits("space", np.zeros(5, np.int8), None, tmp_path / "f.parquet")
    with pytest.raises(InputError, match="found shared_nuclei 1"):
        audited(leaking, patches(), SIDE_PX, NUCLEI, frozen)
    random = ChosenSplits("random_leaky", np.zeros(5, np.int8))
    assert audited(leaking, patches(), SIDE_PX, NUCLEI, random).shared_nuclei == 1
