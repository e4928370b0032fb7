import numpy as np
import scipy.sparse as sp

from sthelar_build.core.crowds import first_of_crowd, with_crowds


def test_rows_that_share_one_axis_only_are_no_crowd():
    points = np.array([[1.0, 0], [1, 1], [1, 2], [1, 0], [1, 0]])
    assert first_of_crowd(points, most=2).tolist() == [0, 1, 2, 0, 0]
    assert first_of_crowd(points, most=3).tolist() == [0, 1, 2, 3, 4]


def test_without_rows_there_is_no_crowd():
    assert first_of_crowd(np.empty((0, 2)), most=2).tolist() == []


def test_the_others_of_a_crowd_are_joined_to_its_first_alone():
    # Rows 1 and 3 are doubles of row 0; the graph is of rows 0, 2, 4.
    graph = sp.csr_matrix(np.array([[0, 0.5, 0], [0.5, 0, 0.25], [0, 0.25, 0]], dtype=np.float32))
    whole = with_crowds(graph, np.array([0, 0, 2, 0, 4]))
    assert whole.dtype == np.float32
    assert whole.toarray().tolist() == [
        [0, 1, 0.5, 1, 0],
        [1, 0, 0, 0, 0],
        [0.5, 0, 0, 0, 0.25],
        [1, 0, 0, 0, 0],
        [0, 0, 0.25, 0, 0],
    ]


def test_a_graph_without_crowds_is_left_alone():
    graph = sp.csr_matrix(np.array([[0, 0.5], [0.5, 0]]))
    assert with_crowds(graph, np.array([0, 1])) is graph
