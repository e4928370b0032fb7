"""The magnification is the one whose pixel size is nearest, by ratio."""

import pytest

from sthelar_build.core.magnification import nearest_magnification


@pytest.mark.parametrize(
    ("um_per_px", "magnification"),
    [(0.1, 40), (0.2125, 40), (0.2738, 40), (0.353, 40), (0.354, 20), (0.5475, 20), (2, 20)],
)
def test_nearest_by_ratio(um_per_px, magnification):
    assert nearest_magnification(um_per_px) == magnification
