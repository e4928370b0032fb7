"""Two opinions on seven cells."""

import numpy as np

from sthelar_build.core.class_table import class_table
from sthelar_build.schema.labels import CLASS_NAMES

T, B, EPITHELIAL = (CLASS_NAMES.index(name) for name in ("T_NK", "B_Plasma", "Epithelial"))


def test_rows_are_the_first_opinion_and_columns_all_that_either_names():
    first = np.array([T, T, T, T, B, -1, T])
    second = np.array([T, T, T, EPITHELIAL, B, B, -1])
    table = class_table(first, second)
    assert table.columns == ("T_NK", "B_Plasma", "Epithelial")
    assert [(row.name, row.n_cells, row.counts) for row in table.rows] == [
        ("T_NK", 4, (3, 0, 1)),
        ("B_Plasma", 1, (0, 1, 0)),
    ]
    assert table.rows[0].shares == (0.75, 0, 0.25)
    assert (table.n_cells, table.agreement) == (5, 0.8)


def test_without_a_cell_that_both_know_there_is_no_agreement():
    table = class_table(np.array([T]), np.array([-1]))
    assert (table.rows, table.columns, table.n_cells, table.agreement) == ((), (), 0, None)
