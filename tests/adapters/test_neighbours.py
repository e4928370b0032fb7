"""The graph of neighbours: as scanpy's, symmetric, and the same on any number of threads."""

import anndata
import numpy as np
import scanpy
from scipy.sparse.csgraph import connected_components

from sthelar_build.adapters.neighbours import nearest_rows, neighbour_graph


def cloud(n=300):
    return np.random.default_rng(0).normal(size=(n, 5)).astype(np.float32)


def test_the_graph_is_that_of_scanpy():
    table = anndata.AnnData(obsm={"X_pca": cloud()}, shape=(300, 0))
    scanpy.pp.neighbors(table, n_neighbors=8, use_rep="X_pca", transformer="sklearn")
    found = neighbour_graph(cloud(), 8, 0, exact=True)
    np.testing.assert_allclose(found.toarray(), table.obsp["connectivities"].toarray(), atol=1e-5)


def test_near_lists_of_a_small_table_give_the_exact_graph():
    exact, near = (neighbour_graph(cloud(), 8, 0, exact=way) for way in (True, False))
    np.testing.assert_allclose(near.toarray(), exact.toarray(), atol=1e-4)


def test_the_graph_is_symmetric_and_joins_no_row_to_itself():
    graph = neighbour_graph(cloud(), 8, 0, exact=False, threads=2)
    assert abs(graph - graph.T).max() == 0
    assert graph.diagonal().max() == 0


def test_rows_at_one_place_have_as_many_neighbours_as_others():
    """Of equal rows the search may name another first; the row itself still takes one place, not none."""
    graph = neighbour_graph(np.zeros((30, 4), dtype=np.float32), 5, 0, exact=True)
    assert graph.diagonal().max() == 0
    assert (graph.getnnz(axis=1) >= 4).all()


def test_the_nearest_rows_leave_out_the_row_itself():
    places = np.array([[0.0], [1], [3], [7]], dtype=np.float32)
    assert nearest_rows(places, 2, 0, exact=True).tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]


def test_near_lists_and_all_pairs_find_the_same_nearest_rows():
    exact, near = (nearest_rows(cloud(), 5, 0, exact=exact) for exact in (True, False))
    assert (np.sort(exact) == np.sort(near)).all()


def test_a_table_smaller_than_the_neighbours_asked_for_gives_what_it_has():
    places = np.array([[0.0], [1]], dtype=np.float32)
    assert nearest_rows(places, 10, 0, exact=True).tolist() == [[1], [0]]
    assert nearest_rows(places[:1], 10, 0, exact=True).shape == (1, 0)
    assert nearest_rows(places[:0], 10, 0, exact=True).shape == (0, 0)


def test_doubles_do_not_take_the_graph_apart():
    """Of ten equal rows each would see the nine others alone."""
    crowded = neighbour_graph(np.repeat(cloud(), 10, axis=0), 8, 0, exact=False)
    assert connected_components(crowded, directed=False)[0] == 1
    found = crowded[::10][:, ::10]
    assert abs(found - neighbour_graph(cloud(), 8, 0, exact=False)).max() == 0


def test_near_lists_of_equal_rows_alone_give_a_graph():
    graph = neighbour_graph(np.zeros((30, 4), dtype=np.float32), 5, 0, exact=False)
    assert (graph.getnnz(axis=1) >= 4).all()
