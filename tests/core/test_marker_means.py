"""Means of markers compare panels of different sizes and slides of different depth."""

import numpy as np
import pytest

from sthelar_build.core.marker_means import (
    MEAN_COLUMNS,
    SlideClasses,
    marker_means,
    shared_genes,
)
from sthelar_build.schema.labels import CLASS_NAMES

T, EPITHELIAL = CLASS_NAMES.index("T_NK"), CLASS_NAMES.index("Epithelial")


def slide(name, genes, rows):
    counts = np.zeros((len(CLASS_NAMES), len(genes)))
    n_cells = np.zeros(len(CLASS_NAMES), dtype=np.int64)
    for number, values in rows.items():
        counts[number], n_cells[number] = values, 10
    return SlideClasses(name, "Breast", genes, n_cells, counts)


ONE = slide("one", ["EPCAM", "CD3E", "BG"], {T: [0, 30, 70], EPITHELIAL: [50, 0, 50]})
TWO = slide("two", ["BG", "EPCAM", "MORE", "CD3E"], {T: [140, 0, 999, 60]})


def test_only_shared_genes_count_and_depth_does_not():
    found = marker_means([ONE, TWO])
    assert found.columns.tolist() == MEAN_COLUMNS
    rows = found[(found["class"] == "T_NK") & (found["gene"] == "CD3E")]
    assert rows["log2_mean"].tolist() == pytest.approx([np.log2(3001), np.log2(3001)])
    assert rows["marker_of"].tolist() == ["T_NK", "T_NK"]


def test_genes_that_mark_nothing_and_classes_without_counts_have_no_rows():
    found = marker_means([ONE, TWO])
    assert set(found["gene"]) == {"CD3E", "EPCAM"}
    assert set(zip(found["slide"], found["class"], strict=True)) == {
        ("one", "T_NK"),
        ("one", "Epithelial"),
        ("two", "T_NK"),
    }


def test_panels_without_a_common_gene_have_no_means():
    other = slide("other", ["XX"], {T: [5]})
    assert shared_genes([ONE, other]) == []
    assert marker_means([ONE, other]).empty
    assert marker_means([]).columns.tolist() == MEAN_COLUMNS
