"""The dots of three cells by hand."""

import pandas as pd

from slides import three_cells
from sthelar_build.io.slide_report.dots import marker_dots
from sthelar_build.io.tables import read_table
from sthelar_build.schema.tables import LABELS


def test_cells_with_too_few_transcripts_have_no_dots(tmp_path):
    files = three_cells.build(tmp_path)
    labels: pd.DataFrame = read_table(files["labels"], LABELS)
    plot = marker_dots(files["counts_cells"], labels, per_class=5)
    assert [(name, n) for name, n, _ in plot.rows] == [("T_NK", 1), ("Epithelial", 1)]
    assert ("T_NK", "CD3E") in plot.genes
    assert ("Epithelial", "EPCAM") in plot.genes
    t_cell = plot.rows[0][2]
    assert t_cell[plot.genes.index(("T_NK", "CD3E"))].share == 1
