"""Levels of a slide."""

from types import SimpleNamespace

import pytest

from sthelar_build.io.images.slide_level import downsample


@pytest.mark.parametrize(
    ("small", "expected"),
    [
        ((1376, 1376), 2.0),  # the odd last row and column are dropped
        ((1377, 1377), 2.0),  # or kept
        ((712, 712), 2753 / 712),  # a thumbnail of its own size
    ],
)
def test_a_pyramid_of_odd_size_halves_exactly(small, expected):
    full = SimpleNamespace(width_px=2753, height_px=2753)
    level = SimpleNamespace(width_px=small[0], height_px=small[1])
    assert downsample(full, level) == expected
