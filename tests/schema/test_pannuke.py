"""PanNuke: one channel a class, then the background."""

from sthelar_build.schema.pannuke import mask_shape


def test_nine_classes_make_ten_channels():
    assert mask_shape(3, 256, 9) == (3, 256, 256, 10)
