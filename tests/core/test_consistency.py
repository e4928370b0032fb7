"""The one slide whose class looks unlike its siblings is flagged; few slides are not judged."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.consistency import (
    CONSISTENCY_COLUMNS,
    ConsistencyRule,
    class_consistency,
    conflicting_labels,
    robust_deviations,
)
from sthelar_build.core.marker_means import SlideClasses, marker_means
from sthelar_build.schema.labels import CLASS_NAMES

RULE = ConsistencyRule(max_deviation=3.5, min_class_cells=50, min_siblings=4)
T, EPITHELIAL, OTHER = (CLASS_NAMES.index(name) for name in ("T_NK", "Epithelial", "Other"))
GENES = ["CD2", "CD3D", "CD3E", "EPCAM", "KRT18", "KRT8"]
PROFILES = {T: [30, 30, 30, 1, 1, 1], EPITHELIAL: [1, 1, 1, 30, 30, 30], OTHER: [5, 5, 5, 5, 5, 5]}


def slide(number, cells=(300, 600, 100), profiles=None, tissue="Breast"):
    n_cells = np.zeros(len(CLASS_NAMES), dtype=np.int64)
    n_cells[[T, EPITHELIAL, OTHER]] = cells
    counts = np.zeros((len(CLASS_NAMES), len(GENES)))
    for row, profile in {**PROFILES, **(profiles or {})}.items():
        counts[row] = np.array(profile) * n_cells[row]
        # Slides differ a little.
        counts[row, number % len(GENES)] *= 1.1
    return SlideClasses(f"s{number}", tissue, GENES, n_cells, counts)


def compared(*slides, rule=RULE):
    return class_consistency(slides, marker_means(slides), rule).set_index(["slide", "class"])


def flags(table):
    return {key: flag for key, flag in table["flag"].items() if isinstance(flag, str)}


def test_slides_that_agree_are_not_flagged():
    table = compared(*map(slide, range(6)))
    assert flags(table) == {}
    assert set(table.reset_index().columns) == set(CONSISTENCY_COLUMNS)
    assert (table["n_slides"] == 6).all()
    assert (table["compared_with"] == "tissue").all()
    assert table.loc[("s0", "T_NK"), "share"] == pytest.approx(0.3)
    assert len(table) == 6 * 3


def test_a_class_that_holds_the_markers_of_another_is_flagged_with_its_genes():
    mixed = slide(5, profiles={T: [20, 20, 20, 12, 12, 12]})
    table = compared(*map(slide, range(5)), mixed)
    assert flags(table) == {("s5", "T_NK"): "markers"}
    genes = table.loc[("s5", "T_NK"), "deviant_genes"]
    assert all(f"{gene} +" in genes for gene in ("EPCAM", "KRT18", "KRT8"))
    assert table.loc[("s5", "T_NK"), "marker_distance"] > 1


def test_a_class_that_is_missing_on_one_slide_is_flagged():
    table = compared(*map(slide, range(5)), slide(5, cells=(0, 690, 310)))
    assert flags(table)[("s5", "T_NK")] == "composition"
    assert ("s5", "Epithelial") not in flags(table)
    row = table.loc[("s5", "T_NK")]
    assert (row["n_cells"], row["reason"]) == (0, "too_few_cells")
    assert row["share_deviation"] < -3.5
    assert row["median_share"] == pytest.approx(0.3)


def test_two_and_three_slides_are_not_judged():
    for n in (1, 2, 3):
        table = compared(*map(slide, range(n - 1)), slide(9, cells=(0, 900, 100)))
        assert flags(table) == {}
        assert table["share_deviation"].isna().all()
        assert table["marker_deviation"].isna().all()
        assert set(table["reason"]) == {"too_few_slides", "no_markers"}
        assert table.loc[("s9", "Epithelial"), "share"] == pytest.approx(0.9)


def test_slides_of_one_tissue_are_siblings_if_there_are_enough_else_all_are():
    skin = [slide(6, tissue="Skin", cells=(10, 680, 310)), slide(7, tissue="Skin")]
    table = compared(*map(slide, range(5)), *skin)
    assert (table.loc["s0", "n_slides"] == 5).all()
    assert (table.loc["s0", "compared_with"] == "tissue").all()
    assert (table.loc["s6", "n_slides"] == 7).all()
    assert (table.loc["s6", "compared_with"] == "all").all()
    assert flags(table)[("s6", "T_NK")] == "composition"
    assert all(slide == "s6" for slide, _ in flags(table))
    assert table.index.get_level_values(0).unique().tolist() == [
        "s0",
        "s1",
        "s2",
        "s3",
        "s4",
        "s6",
        "s7",
    ]


def test_other_has_a_share_but_no_profile():
    odd = slide(5, cells=(100, 200, 700), profiles={OTHER: [50, 0, 0, 0, 0, 0]})
    table = compared(*map(slide, range(5)), odd)
    assert table.loc[("s5", "Other"), "flag"] == "composition"
    assert (table.xs("Other", level=1)["reason"] == "no_markers").all()


def test_a_class_that_is_rare_everywhere_is_not_judged():
    table = compared(*(slide(n, cells=(n, 900, 100)) for n in range(5)))
    rare = table.xs("T_NK", level=1)
    assert rare["share_deviation"].isna().all()
    assert (rare["reason"] == "too_few_slides").all()


def test_a_profile_nearer_to_the_median_than_usual_is_no_fault():
    values = robust_deviations(np.array([0.0, 3.0, 3.1, 2.9, 3.0]), 0.15)
    assert values[0] < -3.5
    assert robust_deviations(np.array([1.0, 1.0, 1.0, 1.3]), 0.15)[3] == pytest.approx(2)


def test_no_slides_make_an_empty_table():
    assert class_consistency([], marker_means([]), RULE).columns.tolist() == CONSISTENCY_COLUMNS


def test_a_fine_label_of_two_classes_is_found():
    def table(*pairs):
        return pd.DataFrame(pairs, columns=["label2", "final_label"])

    found = conflicting_labels(
        {
            "a": table(("Mast", "Myeloid"), ("less10", "Other"), ("T", "T_NK")),
            "b": table(("Mast", "Other"), ("less10", "T_NK"), ("T", "T_NK"), (None, "Other")),
        }
    )
    assert found == {"Mast": {"Myeloid": ["a"], "Other": ["b"]}}
