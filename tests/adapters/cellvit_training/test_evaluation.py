import numpy as np
import pytest

from sthelar_build.adapters.cellvit_training.evaluation import (
    Evaluation,
    mean_agreement,
    patch_agreement,
    table_lines,
)
from sthelar_build.adapters.cellvit_training.inference import Prediction
from sthelar_build.core.hv_nuclei import HvNuclei
from sthelar_build.core.instance_entries import instance_entries
from sthelar_build.io.cellvit_export import LabelledPatch

CLASSES = {"Background": 0, "Round": 1, "Tall": 2}
TISSUES = {"Breast": 0, "Skin": 1}


def squares(*corners):
    """Return a map with squares of 8 px, numbered from 1."""
    found = np.zeros((40, 40), dtype=np.int32)
    for number, (row, column) in enumerate(corners, start=1):
        found[row : row + 8, column : column + 8] = number
    return found


def prediction(true, true_types, predicted, types, tissue=0, guess=0, nucleus=None):
    """Return a prediction in which every instance is of the type with its number in ``types``."""
    true_map = np.array([0, *true_types], dtype=np.uint8)[true]
    type_map = np.array([0, *types], dtype=np.uint8)[predicted]
    patch = LabelledPatch(np.zeros((40, 40, 3), np.uint8), true, true_map, tissue)
    nuclei = HvNuclei(predicted, *instance_entries(predicted, type_map))
    pixels = (predicted > 0).astype(np.uint8) if nucleus is None else nucleus
    return Prediction(patch, pixels, nuclei, guess, 40)


TWO = squares((2, 2), (20, 20))


def test_a_perfect_prediction_scores_one_in_everything():
    found = Evaluation(CLASSES, TISSUES)
    found.add(prediction(TWO, (1, 2), TWO, (1, 2)))
    record = found.record()
    assert record["n_patches"] == 1
    assert [record[name] for name in ("Dice", "Jaccard", "tissue_accuracy")] == [1, 1, 1]
    assert [record["bPQ"], record["mPQ"]] == pytest.approx([1, 1], abs=1e-5)
    assert record["detection"] == {"F1": 1, "precision": 1, "recall": 1}
    assert record["classes"]["Tall"]["F1"] == 1
    assert list(record["classes"]) == ["Round", "Tall"]


def test_nuclei_of_the_wrong_class_are_found_but_not_classified():
    found = Evaluation(CLASSES, TISSUES)
    found.add(prediction(TWO, (1, 2), TWO, (1, 1)))
    record = found.record()
    assert record["bPQ"] == pytest.approx(1, abs=1e-5)
    assert record["detection"]["F1"] == 1
    # Round: one right, one more than there is. Tall: one missed.
    assert record["classes"]["Round"]["PQ"] == pytest.approx(1 / 1.5, abs=1e-5)
    assert record["classes"]["Tall"]["PQ"] == 0
    # A pair of two types counts twice against each.
    assert record["classes"]["Round"]["F1"] == pytest.approx(2 / (2 + 2))
    assert record["classes"]["Tall"]["F1"] == 0


def test_dice_is_of_the_pixels_before_the_watershed_and_bpq_of_typed_nuclei():
    nucleus = np.ones((40, 40), dtype=np.uint8)
    one = patch_agreement(prediction(TWO, (1, 2), TWO, (1, 0), nucleus=nucleus))
    assert one.dice == pytest.approx(2 * 128 / (128 + 1600))
    # One of two nuclei has a type: dq = 1 / 1.5.
    assert one.bpq == pytest.approx(1 / 1.5, abs=1e-5)


def test_patches_without_nuclei_are_not_scored_but_count():
    nothing = squares()
    found = Evaluation(CLASSES, TISSUES)
    found.add(prediction(nothing, (), nothing, (), tissue=1, guess=0))
    record = found.record()
    assert record["n_patches"] == 1
    assert (record["Dice"], record["bPQ"], record["mPQ"]) == (None, None, None)
    assert record["detection"]["F1"] is None
    assert record["tissue_accuracy"] == 0


def test_tissues_are_told_apart():
    found = Evaluation(CLASSES, TISSUES)
    found.add(prediction(TWO, (1, 2), TWO, (1, 2), tissue=0))
    found.add(prediction(TWO, (1, 2), squares(), (), tissue=1))
    record = found.record()
    assert record["Dice"] == 0.5
    assert {name: one["Dice"] for name, one in record["tissues"].items()} == {
        "Breast": 1,
        "Skin": 0,
    }
    assert record["tissues"]["Skin"]["n_patches"] == 1


def test_the_means_of_a_validation_are_numbers_even_of_nothing():
    assert mean_agreement([]) == {"Dice": 0, "Jaccard": 0, "bPQ": 0}
    both = [prediction(TWO, (1, 2), TWO, (1, 2)), prediction(TWO, (1, 2), squares(), ())]
    assert mean_agreement(both)["Dice"] == 0.5


def test_the_table_has_a_line_for_the_whole_and_one_for_every_class():
    found = Evaluation(CLASSES, TISSUES)
    found.add(prediction(TWO, (1, 1), TWO, (1, 1)))
    lines = table_lines(found.record())
    assert lines[0].startswith("test, 1 patches: Dice 1.000, Jaccard 1.000, bPQ 1.000")
    assert lines[1].startswith("Round  PQ 1.000  F1 1.000")
    assert lines[2].startswith("Tall   PQ none")
