import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.summary import (
    agreement,
    annotation,
    composition,
    coverage,
    decisions,
    extremes,
    histogram,
    parts,
)


def test_classes_come_in_schema_order_with_share_and_colour():
    found = composition(pd.Series(["Other", "T_NK", "Other", "Other"]))
    assert [(p.name, p.count, p.share) for p in found] == [("T_NK", 1, 0.25), ("Other", 3, 0.75)]
    assert found[0].colour == "#ff0f0f"


def test_words_are_counted_most_frequent_first_ties_by_name_over_all_rows():
    found = parts(pd.Series(["b", None, "a", "c", "c"]))
    assert [(p.name, p.count, p.share) for p in found] == [
        ("c", 2, 0.4),
        ("a", 1, 0.2),
        ("b", 1, 0.2),
    ]


def test_cells_with_too_few_transcripts_speak_neither_for_nor_against_the_labels():
    labels = pd.DataFrame(
        {
            "decided_by": ["agreement", "neither", "low_count", "low_count"],
            "confidence": [0.8, 0.4, 0.0, 0.0],
        }
    )
    found = annotation(labels)
    assert found.decided_share == 0.5
    assert found.mean_confidence == pytest.approx(0.6)
    assert found.ways[0].share == 0.5


def test_no_cell_with_enough_transcripts_has_no_confidence():
    found = annotation(pd.DataFrame({"decided_by": ["low_count"], "confidence": [0.0]}))
    assert found.mean_confidence is None
    assert found.decided_share == 0


def test_missing_metrics_are_counted_by_reason_and_not_as_zero():
    metrics = pd.DataFrame(
        {
            "Dice": [0.5, 0.9, None, None],
            "Jaccard": [0.45, 0.8, None, None],
            "bPQ": [0.3, None, None, None],
            "reason": [None, "no_background", "outside", "not_run"],
        }
    )
    found = agreement(metrics, min_jaccard=0.45)
    assert (found.n_patches, found.n_measured, found.n_kept) == (4, 2, 2)
    assert found.medians == {"Dice": 0.7, "Jaccard": 0.625, "bPQ": 0.3}
    assert {p.name: p.count for p in found.left_out} == {"outside": 1, "not_run": 1}


def test_patches_that_the_run_leaves_uncovered_are_counted_whatever_their_jaccard():
    patches = pd.DataFrame(
        {
            "Jaccard": [0.9, 0.5, 0.2, np.nan, 0.9],
            "covered_fraction": [1.0, 0.89, 0.1, 0.0, np.nan],
        }
    )
    found = coverage(patches, min_covered=0.9, min_jaccard=0.45)
    assert (found.n_patches, found.n_uncovered, found.n_kept) == (4, 2, 1)


def test_a_scale_without_measurements_keeps_nothing():
    metrics = pd.DataFrame(
        {"Dice": [np.nan], "Jaccard": [np.nan], "bPQ": [np.nan], "reason": ["not_run"]}
    )
    found = agreement(metrics, min_jaccard=0.45)
    assert found.kept_share == 0
    assert found.medians["Dice"] is None


def test_values_beyond_the_axis_count_in_the_end_bins():
    found = histogram([-1, 0.1, 0.9, 7, np.nan], 0, 1, bins=2)
    assert found.counts == (2, 2)
    assert found.edges == (0, 0.5, 1)
    assert found.median == 0.5


def test_an_empty_histogram_has_no_median():
    assert histogram([], 0, 1, bins=2).median is None


def test_best_median_and_worst_do_not_overlap():
    values = np.array([0.1, 0.9, np.nan, 0.5, 0.7, 0.3])
    assert extremes(values, 1) == {"best": [1], "median": [3], "worst": [0]}
    shown = extremes(values, 4)
    assert shown == {"best": [1, 4], "median": [3], "worst": [5, 0]}


def test_one_value_is_the_best():
    assert extremes(np.array([0.2]), 4) == {"best": [0], "median": [], "worst": []}


def test_nothing_measured_shows_nothing():
    assert extremes(np.array([np.nan]), 4) == {"best": [], "median": [], "worst": []}


def test_the_rows_of_one_line_are_one_decision():
    rows = [
        (3, "Epithelial", "Epithelial", 30, 30),
        (3, "T_NK", "T_CD8", 10, 5),
        (5, None, None, 0, 0),
    ]
    names = ["line", "from_class", "from_label", "n_cells", "n_kept"]
    words = {"target": "cluster 1", "to_class": "Myeloid", "to_label": "Mast", "why": "KIT"}
    table = pd.DataFrame(rows, columns=names).assign(**words, who="me", when="2026-01-31")
    first, second = decisions(table)
    assert (first.line, first.n_cells, first.n_kept, first.to_label) == (3, 40, 35, "Mast")
    assert [(part.name, part.share) for part in first.changes] == [
        ("Epithelial, Epithelial", 0.75),
        ("T_NK, T_CD8", 0.25),
    ]
    assert (second.n_cells, second.changes) == (0, ())
    assert list(decisions(table.iloc[:0])) == []
