"""Names of scales."""

import pytest

from sthelar_build.core.scale import downsample_of


@pytest.mark.parametrize(
    ("scale", "downsample"), [("native", 1), ("native/2", 2), ("0.5", 2), ("0.25", 1), ("0.4", 1.6)]
)
def test_a_scale_is_a_number_of_level_0_pixels(scale, downsample):
    assert downsample_of(scale, he_um_per_px=0.25) == pytest.approx(downsample)


@pytest.mark.parametrize("scale", ["native/4", "", "-1", "0", "nan", "inf"])
def test_other_words_are_refused(scale):
    with pytest.raises(ValueError, match="expected native, native/2, or a number"):
        downsample_of(scale, 0.25)
