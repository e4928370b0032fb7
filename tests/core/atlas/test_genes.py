"""Genes of a panel are found in an atlas by whatever names it has for them."""

import numpy as np
import scipy.sparse as sp

from sthelar_build.core.atlas.genes import match_genes

PANEL = ["CD3E", "MS4A1", "CD3D"]
IDS = ["ENSG02", "ENSG03", "ENSG01"]
SYMBOLS = ["CD3D", "CD3E", "MS4A1", "EXTRA"]
ATLAS_IDS = ["ENSG01", "ENSG02", "ENSG03", "ENSG04"]


def places(found):
    """Return the panel column of every atlas column that is read."""
    targets = found.panel_columns[found.targets].tolist()
    return dict(zip(found.atlas_columns.tolist(), targets, strict=True))


def test_symbols_in_the_index_are_enough():
    found = match_genes(PANEL, ["", "", ""], {"index": SYMBOLS})
    assert places(found) == {0: 2, 1: 0, 2: 1}
    assert (found.by_id, found.other_case, found.symbol_column) == (0, 0, "index")
    assert found.missing == ()


def test_ids_are_found_in_the_index_and_in_a_column_whatever_its_name():
    by_index = match_genes(PANEL, IDS, {"index": ATLAS_IDS, "feature_name": SYMBOLS})
    by_column = match_genes(PANEL, IDS, {"index": SYMBOLS, "some ids": ATLAS_IDS})
    assert places(by_index) == places(by_column) == {0: 2, 1: 0, 2: 1}
    assert (by_index.id_column, by_column.id_column) == ("index", "some ids")
    assert (by_index.by_id, by_index.symbol_column) == (3, "")


def test_the_version_of_an_id_does_not_matter_on_either_side():
    found = match_genes(["x", "y"], ["ENSG01.7", "ENSG02"], {"index": ["ENSG02.11", "ENSG01.2"]})
    assert places(found) == {0: 1, 1: 0}


def test_the_case_of_a_symbol_does_not_matter_and_is_counted():
    found = match_genes(["CD3E", "Ms4a1"], ["", ""], {"index": ["Cd3e", "Ms4a1"]})
    assert places(found) == {0: 0, 1: 1}
    assert found.other_case == 1


def test_a_dot_in_a_symbol_is_no_version():
    found = match_genes(["RP11-34P13.7"], [""], {"index": ["RP11-34P13.8", "RP11-34P13.7"]})
    assert places(found) == {1: 0}


def test_the_id_decides_where_the_symbol_was_given_to_another_gene():
    columns = {"index": ["NEW", "OLD"], "gene_ids": ["ENSG01", "ENSG02"]}
    found = match_genes(["OLD"], ["ENSG01"], columns)
    assert places(found) == {0: 0}


def test_a_gene_without_a_known_id_is_found_by_its_symbol():
    columns = {"index": SYMBOLS, "gene_ids": ATLAS_IDS}
    found = match_genes(["CD3D", "MS4A1"], ["ENSG01", "ENSG99"], columns)
    assert places(found) == {0: 0, 2: 1}
    assert (found.by_id, found.id_column, found.symbol_column) == (1, "gene_ids", "index")


def test_a_column_that_has_been_found_by_id_is_not_given_to_another_gene():
    columns = {"index": ["CD3D"], "gene_ids": ["ENSG01"]}
    found = match_genes(["ALIAS", "CD3D"], ["ENSG01", "ENSG99"], columns)
    assert places(found) == {0: 0}
    assert found.missing == ("CD3D",)


def test_a_gene_that_the_panel_has_twice_is_found_once():
    found = match_genes(["CD3D", "CD3D"], ["ENSG01", "ENSG01"], {"index": ATLAS_IDS})
    assert places(found) == {0: 0}
    assert found.panel_columns.tolist() == [0]
    assert found.missing == ("CD3D",)


def test_columns_of_one_gene_are_added_up():
    found = match_genes(PANEL, ["", "", ""], {"index": ["CD3D", "CD3E", "CD3D", "MS4A1"]})
    assert places(found) == {0: 2, 1: 0, 2: 2, 3: 1}
    read = sp.csr_matrix(np.array([[1, 2, 4, 8], [0, 0, 3, 0]], dtype=np.float32))
    assert found.fold(read).toarray().tolist() == [[2, 8, 5], [0, 0, 3]]
    assert "1 further columns of the same genes added to them" in found.in_words()


def test_the_column_with_most_of_the_panel_counts():
    columns = {"old": ["CD3D", "x", "y"], "index": SYMBOLS[:3], "kind": ["gene"] * 3}
    assert match_genes(PANEL, ["", "", ""], columns).symbol_column == "index"


def test_the_order_of_the_atlas_does_not_matter():
    order = [2, 0, 3, 1]
    turned = {"index": [SYMBOLS[n] for n in order], "id": [ATLAS_IDS[n] for n in order]}
    straight = match_genes(PANEL, IDS, {"index": SYMBOLS, "id": ATLAS_IDS})
    found = match_genes(PANEL, IDS, turned)
    assert {order[column]: gene for column, gene in places(found).items()} == places(straight)


def test_no_shared_gene_is_an_empty_match():
    found = match_genes(["A", "B"], ["", "ENSG01"], {"index": ["Mm1", "Mm2"], "kind": ["", ""]})
    assert len(found.panel_columns) == len(found.atlas_columns) == 0
    assert found.missing == ("A", "B")
    assert found.fold(sp.csr_matrix((3, 0), dtype=np.float32)).shape == (3, 0)


def test_the_words_say_what_was_found_by_what_and_what_is_missing():
    columns = {"index": ["ENSG01", "ENSG04"], "name": ["CD3D", "ms4a1"]}
    found = match_genes(["CD3D", "MS4A1", "A", "B"], ["ENSG01", "ENSG77", "", ""], columns)
    assert found.in_words() == (
        "2 of 4 genes of the panel; 1 by id (var column index); 1 by symbol (var column name, 1 of them in "
        "another case); missing: A, B"
    )


def test_of_many_missing_genes_five_are_named():
    found = match_genes(list("ABCDEFG"), [""] * 7, {"index": ["x"]})
    assert found.in_words() == "0 of 7 genes of the panel; missing: A, B, C, D, E and 2 more"
