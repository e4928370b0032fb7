"""Evaluations are compared with others of the same network, scale and splits only."""

import pytest

from slides import evaluations
from sthelar_build.errors import InputError
from sthelar_build.io.compared_evaluations import read_compared


def write(folder, slide="one", n=4, **changed):
    cells, shown = evaluations.confused(n, 1), evaluations.patches(0.5)
    counts = {"test": evaluations.detection(5, 2, 1)}
    return evaluations.write(folder / slide, slide, cells, shown, counts, **changed)


def write_empty(folder, slide):
    cells, shown = evaluations.nuclei([(1, 1)]).iloc[:0], evaluations.patches(1).iloc[:0]
    return evaluations.write(folder / slide, slide, cells, shown, {})


def test_slides_are_joined_split_by_split(tmp_path):
    train = evaluations.write(
        tmp_path / "three",
        "three",
        evaluations.nuclei([(1, 1)], "train"),
        evaluations.patches(0.9, split="train"),
        {"train": evaluations.detection(1, 0, 0)},
    )
    found = read_compared([write(tmp_path), train, write(tmp_path, "other", n=6)])
    assert [one.slide for one in found.found] == ["one", "three", "other"]
    assert {name: len(parts) for name, parts in found.by_split.items()} == {"test": 2, "train": 1}
    assert [(part.split, part.n_nuclei) for part in found.pools] == [("test", 20), ("train", 1)]
    assert found.grouping.name == "cancer_normal"
    assert found.names == evaluations.CLASSES.names


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"scale": "20x"}, "scale"),
        ({"evaluated_splits": []}, "evaluated_splits"),
        ({"network": {"sha256": "cd" * 32}}, "sha256"),
    ],
)
def test_evaluations_of_two_kinds_are_refused(tmp_path, changed, word):
    paths = [write(tmp_path), write(tmp_path, "other", **changed)]
    with pytest.raises(InputError, match=f"expected the {word}.*evaluate both again"):
        read_compared(paths)


def test_slides_without_patches_are_taken_along_but_not_all_of_them(tmp_path):
    empty = write_empty(tmp_path, "empty")
    found = read_compared([empty, write(tmp_path)])
    assert [part.slide for part in found.by_split["test"]] == ["one"]
    with pytest.raises(InputError, match="expected predicted patches in at least one slide"):
        read_compared([empty])
