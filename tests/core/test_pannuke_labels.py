import numpy as np

from sthelar_build.core.pannuke_labels import voted_types


def test_most_pixels_win_background_only_where_nothing_else_is_and_shares_are_of_all_pixels():
    type_px = np.array(
        [
            [10, 60, 30],  # plainly 1
            [90, 0, 10],  # background wins the count, and is passed over
            [40, 0, 0],  # nothing but background
            [0, 5, 5],  # a tie
            [0, 0, 0],  # never seen
        ]
    )
    index, share = voted_types(type_px)
    assert index.tolist() == [1, 2, 0, 1, -1]
    np.testing.assert_array_equal(share, [0.6, 0.1, 1, 0.5, np.nan])


def test_without_a_background_every_type_may_win():
    index, share = voted_types(np.array([[9, 1]]), background=None)
    assert (index.tolist(), share.tolist()) == ([0], [0.9])


def test_it_leaves_its_input_as_it_was_and_takes_no_nuclei_too():
    type_px = np.array([[3, 1]])
    voted_types(type_px)
    assert type_px.tolist() == [[3, 1]]
    assert not len(voted_types(np.zeros((0, 6), np.int64))[0])
