"""Counts for the card, on two slides of three patches."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.dataset_facts import class_facts, slide_facts, split_facts
from sthelar_build.schema.labels import PATCH_CLASSES

TABLE = pd.DataFrame(
    {
        "slide": ["a", "a", "a", "b", "b", "b"],
        "n_nuclei": [3, 1, 0, 2, 2, 2],
        "complete": [True, True, False, True, True, True],
        "Jaccard": [0.4, 0.6, np.nan, np.nan, np.nan, np.nan],
        "covered_fraction": [1.0, 0.5, 0.0, np.nan, np.nan, np.nan],
        "blur_um": [0.5, 0.7, 9.0, np.nan, np.nan, np.nan],
        **{c.name: 0 for c in PATCH_CLASSES},
        "T_NK": [3, 1, 0, 2, 2, 2],
    }
)
SPLITS = pd.DataFrame(
    {
        "split": ["train", "test", None, "train", "valid", None],
        "reason": [None, None, "no_nucleus", None, None, "guard"],
    }
)


def test_patches_are_counted_by_split_and_by_reason():
    facts = slide_facts(TABLE, SPLITS)
    assert facts["a"]["splits"] == {"train": 1, "valid": 0, "test": 1}
    assert facts["a"]["left_out"] == {"no_nucleus": 1}
    assert facts["b"]["left_out"] == {"guard": 1}
    assert (facts["a"]["patches"], facts["a"]["nuclei"]) == (3, 4)


def test_the_median_ignores_missing_values_and_is_none_without_any():
    facts = slide_facts(TABLE, SPLITS)
    assert facts["a"]["median_jaccard"] == 0.5
    assert facts["b"]["median_jaccard"] is None
    # The third patch of a overruns the image and shows no nucleus.
    assert facts["a"]["median_blur_um"] == pytest.approx(0.6)
    assert facts["a"]["p95_blur_um"] == pytest.approx(0.69)
    assert facts["b"]["median_blur_um"] is facts["b"]["p95_blur_um"] is None
    assert facts["a"]["nuclei_per_patch"] == 2
    assert facts["a"]["mean_covered"] == 0.75
    assert facts["b"]["mean_covered"] is None


def test_classes_and_splits_add_up():
    classes = class_facts(TABLE, SPLITS, {"T_NK": 7})
    assert classes[0] == {
        "index": 1,
        "name": "T_NK",
        "colour": "#ff0f0f",
        "cells": 7,
        "rarest": True,
        "splits": {"train": 5, "valid": 2, "test": 1},
    }
    assert len(classes) == 9
    splits = split_facts(list(slide_facts(TABLE, SPLITS).values()), classes)
    assert splits[0] == {"name": "train", "patches": 2, "nuclei": 5, "slides": 2}
    assert [split["slides"] for split in splits] == [2, 1, 1]
