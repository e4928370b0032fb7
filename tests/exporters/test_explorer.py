"""Cell groups as Xenium Explorer imports them: cell_id, group, and a colour where there is one."""

import csv

import pytest

from slides import three_cells, whole_slides
from sthelar_build.errors import InputError
from sthelar_build.exporters import explorer
from sthelar_build.settings.export_slides import ExportSlidesSettings


@pytest.fixture
def out(tmp_path):
    slides = whole_slides.whole_slides(tmp_path / "slides")
    explorer.write(slides, tmp_path / "out", ExportSlidesSettings(), 1)
    return tmp_path / "out"


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_slide_has_a_file_for_class_fine_type_and_cluster(out):
    assert sorted(path.name for path in out.iterdir()) == [
        f"{slide}_{column}.csv"
        for slide in sorted(whole_slides.NAMES)
        for column in ("cluster", "final_label", "label2")
    ]


def test_classes_have_the_ids_of_the_bundle_and_the_colours_of_the_schema(out):
    rows = read(out / "tiny_s0_final_label.csv")
    assert [row["cell_id"] for row in rows] == list(three_cells.CELLS)
    assert rows[0] == {"cell_id": "aaaaaaab-1", "group": "T_NK", "color": "#ff0f0f"}
    assert rows[2]["cell_id"] == "oipggjko-12"


def test_fine_types_have_no_colour_and_cells_without_a_cluster_are_left_out(out):
    assert read(out / "tiny_s0_label2.csv")[0] == {"cell_id": "aaaaaaab-1", "group": "T_CD8"}
    assert [row["group"] for row in read(out / "tiny_s0_cluster.csv")] == ["0", "1"]


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        ("aaaaaaac-1", "aaaaaaab-1", "two groups"),
        ("#ff0f0f", "red", "no #rrggbb"),
        (",T_NK,", ",,", "without a group"),
        ("cell_id,", "barcode,", "the columns barcode"),
    ],
)
def test_the_validator_takes_the_export_and_refuses_others(out, old, new, flaw):
    explorer.validate(out)
    path = out / "tiny_s0_final_label.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=flaw):
        explorer.validate(out)
