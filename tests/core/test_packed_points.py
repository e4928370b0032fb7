"""What a page unpacks is what was packed."""

import base64

import numpy as np

from sthelar_build.core.packed_points import packed, packed_places, packed_shares


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), kind).tolist()


def test_places_fill_a_square_with_y_running_down():
    places = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    assert unpacked(packed_places(places), "<u2") == [0, 65535, 65535, 65535, 0, 0]


def test_the_shorter_side_keeps_its_proportion_and_lies_in_the_middle():
    places = np.array([[10.0, 1.0], [14.0, 3.0]])
    assert unpacked(packed_places(places), "<u2") == [0, 49151, 65535, 16384]


def test_one_point_lies_in_the_middle_and_none_is_nothing():
    assert unpacked(packed_places(np.array([[3.0, 5.0]])), "<u2") == [32768, 32768]
    assert packed_places(np.empty((0, 2))) == ""


def test_shares_that_are_not_known_are_told_from_those_that_are():
    assert unpacked(packed_shares(np.array([0, 0.5, 1, np.nan])), "u1") == [0, 127, 254, 255]


def test_numbers_are_little_endian():
    assert base64.b64decode(packed(np.array([258]), "<u2")) == b"\x02\x01"
