"""The room that results take grows with slides, scales and formats."""

import pytest

from sthelar_build.core.disk_estimate import disk_mb
from sthelar_build.needs import RawSize

SCALES = {"40x": "native", "20x": "native/2"}
TOY = RawSize(kcells=8.58, mtranscripts=1.5, he_mpx=24.8)


def test_the_toy_run_takes_about_as_much_as_it_did():
    formats = ["pannuke", "sthelar", "cellvit", "cellvit_plus", "huggingface"]
    formats += ["qupath", "explorer", "hest", "stimage"]
    assert disk_mb(TOY, SCALES, formats) == pytest.approx(960, rel=0.2)


def test_nothing_takes_nothing_and_twice_as_much_takes_twice():
    assert disk_mb(RawSize(), SCALES, ["pannuke"]) == 0
    twice = RawSize(kcells=2 * 8.58, mtranscripts=3, he_mpx=2 * 24.8)
    assert disk_mb(twice, SCALES, []) == pytest.approx(2 * disk_mb(TOY, SCALES, []))


def test_a_format_of_patches_counts_by_the_area_of_every_scale():
    image = RawSize(he_mpx=100)

    def of_pannuke(scales):
        return disk_mb(image, scales, ["pannuke"]) - disk_mb(image, scales, [])

    assert of_pannuke({"40x": "native"}) == 300
    assert of_pannuke({"20x": "native/2"}) == 75
    assert of_pannuke({"half": "0.5"}) == 300
