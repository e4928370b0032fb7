"""What was found in raw files is told in a line for each thing."""

from sthelar_build.core.raw_words import raw_words

BUNDLE = {
    "xoa_version": "3.1.0",
    "panel": "Human Breast",
    "n_genes": 280,
    "n_cells": 167780,
    "n_nuclei": 160000,
    "n_transcripts": 3,
}
HE = {"he_width_px": 900, "he_height_px": 700, "he_levels": 1, "he_um_per_px": 0.27379}


def test_a_bundle_is_told_by_its_version_its_panel_and_its_counts():
    (words,) = raw_words(BUNDLE).values()
    assert words.replace("\N{NARROW NO-BREAK SPACE}", " ") == (
        "XOA 3.1.0, Human Breast: 280 genes, 167 780 cells, 160 000 nuclei, 3 transcripts"
    )
    assert "panel without a name" in raw_words(BUNDLE | {"panel": None})["Xenium bundle"]


def test_an_image_says_its_pixel_size_or_that_it_says_none():
    assert raw_words(HE) == {"H&E": "900 x 700 px, 1 level, 0.2738 um a pixel"}
    assert raw_words(HE | {"he_um_per_px": None})["H&E"].endswith("pixel size not said")


def test_an_alignment_has_a_matrix_keypoints_or_both():
    both = {"alignment_um_per_px": 0.25, "alignment_keypoints": 14}
    assert (
        raw_words(both)["alignment"] == "a matrix that makes an H&E pixel 0.25 um and 14 keypoints"
    )
    one = {"alignment_um_per_px": None, "alignment_keypoints": 3}
    assert raw_words(one)["alignment"] == "3 keypoints"


def test_what_the_facts_do_not_know_of_is_not_told():
    assert raw_words({}) == {}
    assert raw_words({"nuclei_file": "a.geojson"}).keys() == {"nuclei"}
    assert raw_words({"predicted_patches": 7}) == {"predictions": "7 patches"}
