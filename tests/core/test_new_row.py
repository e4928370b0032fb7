"""Names and tissues of new slides are guessed from what they are called, or not at all."""

import pytest

from sthelar_build.core.new_row import Cell, missing, slide_name, tissue_of


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        (["Breast S1 (top)"], "Breast_S1_top"),
        (["outs", "patient-7"], "patient_7"),
        (["xenium", "Skin"], "Skin"),
        (["Xenium_V1_hBreast_outs"], "Xenium_V1_hBreast"),
        (["output-XETG00045__0006891__Region_1__20230530__220121"], "0006891_Region_1"),
        (["outs", ""], "slide"),
        (["äö"], "slide"),
    ],
)
def test_a_slide_is_called_after_the_first_folder_that_says_anything(folders, name):
    assert slide_name(folders, []) == name


def test_a_name_that_is_taken_gets_a_number():
    assert slide_name(["Skin"], ["Skin", "Skin_2"]) == "Skin_3"


@pytest.mark.parametrize(
    ("said", "tissue"),
    [("Breast", "Breast"), ("Multi-Tissue", ""), (None, ""), ("", ""), ("Pan Tissue", "")],
)
def test_the_tissue_is_that_of_the_panel_unless_it_is_made_for_many(said, tissue):
    assert tissue_of({"panel_tissue_type": said}) == tissue
    assert tissue_of({}) == ""


def test_a_cell_says_where_it_is_from_and_a_missing_one_what_to_do():
    cells = [Cell("slide", "Skin", "given"), Cell("tissue", "", "missing", "fill it in")]
    assert [cell.text() for cell in cells] == [
        "  given    slide: Skin",
        "  missing  tissue: fill it in",
    ]
    assert missing(cells) == ["tissue"]
