import numpy as np

from sthelar_build.core.overlay import draw_overlay, outlines

MAP = np.array(
    [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]
)


def test_the_outline_is_the_rim_inside_the_instance():
    assert outlines(MAP).astype(int).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 0, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]


def test_two_nuclei_that_touch_each_keep_a_rim():
    assert outlines(np.array([[1, 1, 2, 2]])).tolist() == [[False, True, True, False]]


def test_a_nucleus_cut_by_the_border_is_left_open_there():
    assert outlines(MAP[2:4, 2:4]).sum() == 0


def test_outlines_take_the_colour_of_their_instance_and_the_image_is_not_touched():
    image = np.zeros((1, 4, 3), dtype=np.uint8)
    drawn = draw_overlay(image, np.array([[7, 0, 0, 2**31]]), {7: (1, 2, 3), 2**31: (9, 9, 9)})
    assert drawn[0].tolist() == [[1, 2, 3], [0, 0, 0], [0, 0, 0], [9, 9, 9]]
    assert image.sum() == 0


def test_an_instance_without_a_colour_is_not_drawn():
    image = np.zeros((1, 2, 3), dtype=np.uint8)
    assert draw_overlay(image, np.array([[5, 0]]), {}).sum() == 0
