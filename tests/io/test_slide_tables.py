"""Tables are made when they are asked for, and name what is wrong with the files that they come from."""

import pytest

from slides import three_cells
from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad, write_h5ad
from sthelar_build.io.provenance import provenance
from sthelar_build.io.slide_tables import ObjectFiles, count_tables
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.schema.tables import LABELS


@pytest.fixture
def files(tmp_path):
    return three_cells.build(tmp_path)


def _makers(files, region="cell_boundaries"):
    of_cells = files["counts_cells"], files["clusters_cells"], files["tangram_cells"]
    by_table = {
        "table_nuclei": ObjectFiles(
            files["counts_nuclei"], files["clusters_nuclei"], files["tangram_nuclei"]
        ),
        "table_cells": ObjectFiles(*of_cells),
        "table_combined": ObjectFiles(*of_cells),
    }
    return dict(count_tables(by_table, files["labels"], region, "x"))


def test_every_table_is_about_its_shapes_and_only_the_combined_one_knows_nuclear_counts(files):
    made = {name: make() for name, make in _makers(files).items()}
    regions = {name: table.uns["spatialdata_attrs"]["region"] for name, table in made.items()}
    assert regions == {
        "table_nuclei": "nucleus_boundaries",
        "table_cells": "cell_boundaries",
        "table_combined": "cell_boundaries",
    }
    with_nuclei = [name for name, table in made.items() if "nucleus_count" in table.layers]
    assert with_nuclei == ["table_combined"]


def test_cells_without_outlines_are_about_no_shapes(files):
    makers = _makers(files, region=None)
    assert "spatialdata_attrs" not in makers["table_cells"]().uns
    assert "spatialdata_attrs" in makers["table_nuclei"]().uns


def test_a_cell_without_a_label_is_refused(files):
    labels = read_table(files["labels"], LABELS)
    write_table(files["labels"], labels[1:], LABELS, {})
    with pytest.raises(InputError, match="found none for 1 rows; run refine again"):
        _makers(files)["table_cells"]()


def test_counts_of_other_genes_are_refused(files):
    counts = read_h5ad(files["counts_nuclei"])
    write_h5ad(files["counts_nuclei"], counts[:, ::-1].copy(), provenance("test"))
    with pytest.raises(
        InputError, match=r"expected the genes of .*counts_cells\.h5ad, found others"
    ):
        _makers(files)["table_combined"]()
