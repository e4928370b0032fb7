"""Tangram's strongest label becomes a class, and is held against the refined one."""

import numpy as np
import pandas as pd

from sthelar_build.core.scores import Scores
from sthelar_build.io.provenance import provenance
from sthelar_build.io.scores import write_scores
from sthelar_build.io.slide_report import tangram
from sthelar_build.io.slide_report.tangram import tangram_table

IDS = np.array(["a", "b", "c", "unmapped", "poor"], dtype=object)
SHARES = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [np.nan, np.nan], [1, 0]], dtype=np.float32)
LABELS = pd.DataFrame(
    {
        "cell_id": ["poor", "c", "b", "a", "unmapped", "not_in_tangram"],
        "final_label": ["Other", "Epithelial", "Epithelial", "T_NK", "T_NK", "T_NK"],
        "decided_by": ["low_count", *["agreement"] * 5],
    }
)


def test_cells_are_compared_where_both_have_an_opinion(tmp_path, monkeypatch):
    monkeypatch.setattr(tangram, "_ROWS_AT_ONCE", 2)
    path = tmp_path / "tangram_cells.parquet"
    scores = Scores("cell_id", IDS, ["T cell", "Luminal"], SHARES)
    write_scores(path, scores, {"T cell": "T_NK", "Luminal": "Epithelial"}, provenance("test"))
    table = tangram_table(path, LABELS)
    assert table.n_cells == 3
    assert [(row.name, row.counts) for row in table.rows] == [
        ("T_NK", (1, 1)),
        ("Epithelial", (0, 1)),
    ]
