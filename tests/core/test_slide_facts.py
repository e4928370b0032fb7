"""Facts are told in words with units, by subject."""

from sthelar_build.core.slide_facts import fact_groups


def told(facts):
    return {group.title: dict(group.facts) for group in fact_groups(facts)}


def test_counts_sizes_and_pixels_have_their_units():
    found = told({"n_cells": 12345, "he_width_px": 4000, "he_height_px": 2000, "he_pixel_um": 0.25})
    assert found == {
        "Cells and nuclei": {"Cells": "12\u202f345"},
        "H&E image": {
            "Size": "4\u202f000 \N{MULTIPLICATION SIGN} 2\u202f000 px, 1.00 \N{MULTIPLICATION SIGN} 0.50 mm",
            "Pixel, from the alignment": "0.2500 µm",
        },
    }


def test_a_size_without_a_pixel_stays_in_pixels():
    found = told({"morphology_width_px": 30, "morphology_height_px": 20})
    assert found == {"Morphology image": {"Size": "30 \N{MULTIPLICATION SIGN} 20 px"}}


def test_what_is_not_known_is_a_dash():
    assert told({"panel": None, "he_um_per_px": None}) == {
        "Xenium run": {"Gene panel": "\N{EN DASH}"},
        "H&E image": {"Pixel, as the file says": "\N{EN DASH}"},
    }


def test_labels_of_the_reference_are_counted_and_listed():
    found = told({"reference_labels": {"T_CD8": 1200, "B": 3}})
    assert found["Reference atlas"] == {
        "Cell types, with the cells of each": "2: T CD8 1\u202f200, B 3"
    }


def test_the_source_of_the_nuclei_is_told_in_words():
    assert told({"nuclei_source": "xenium"}) == {
        "Cells and nuclei": {"Outlines of the nuclei from": "the Xenium bundle"}
    }


def test_a_fact_without_words_is_not_lost():
    assert told({"new_fact": [1, 2]}) == {"Other": {"New fact": "1, 2"}}
