"""The tables of the package are well-formed csv: every row has every column."""

import pytest

from sthelar_build.schema.package_tables import package_rows


@pytest.mark.parametrize("name", ["labels.csv", "fine_labels.csv", "malignancy.csv", "markers.csv"])
def test_every_row_fills_the_columns_of_the_head(name):
    rows = package_rows(name)
    assert rows
    assert all(None not in row and None not in row.values() for row in rows)


def test_a_row_is_text_by_column():
    assert package_rows("labels.csv")[0]["name"] == "T_NK"
