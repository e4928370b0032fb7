import numpy as np
import pytest

from sthelar_build.core.simulation.mosaic_image import MosaicImage, Place

ONE = np.array([[1, 2], [3, 4]], dtype=np.uint8)
TWO = np.array([[5, 6], [7, 8]], dtype=np.uint8)
IMAGE = MosaicImage((ONE, TWO), ((Place(0, False, False), Place(1, True, False)),))


def pixels(image, top, left, side):
    return image.pixels(image.pieces(top, left, side)).tolist()


def test_blocks_lie_side_by_side_and_are_mirrored():
    assert IMAGE.shape == (2, 4)
    assert IMAGE.nbytes == 8
    assert pixels(IMAGE, 0, 0, 4) == [[1, 2, 6, 5], [3, 4, 8, 7]]


def test_a_window_ends_with_the_image():
    assert pixels(IMAGE, 1, 3, 5) == [[7]]


def test_rows_of_places_go_down_and_a_block_can_be_upside_down():
    image = MosaicImage((ONE,), ((Place(0, False, False),), (Place(0, False, True),)))
    assert pixels(image, 0, 0, 4) == [[1, 2], [3, 4], [3, 4], [1, 2]]


def test_equal_pieces_are_told_by_what_they_show():
    image = MosaicImage((ONE,), ((Place(0, False, False), Place(0, False, False)),))
    assert image.pieces(0, 0, 1) == image.pieces(0, 2, 1)
    assert image.pieces(0, 0, 1) != image.pieces(0, 1, 1)


def test_the_next_level_is_that_of_the_blocks():
    smaller = IMAGE.smaller(lambda block: block[:1, :1])
    assert pixels(smaller, 0, 0, 2) == [[1, 5]]


def test_blocks_of_odd_sides_have_no_next_level():
    odd = MosaicImage((np.zeros((3, 2), np.uint8),), ((Place(0, False, False),),))
    with pytest.raises(ValueError, match="expected blocks of even sides, got 3 x 2 px"):
        odd.smaller(lambda block: block)
