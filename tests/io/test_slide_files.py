"""Outlines of a whole slide on its H&E."""

import logging

import numpy as np
import pytest
import shapely
from shapely import box

from slides import three_cells, whole_slides
from sthelar_build.io import slide_files
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.schema.tables import NUCLEI


@pytest.fixture
def slide(tmp_path):
    return whole_slides.whole_slide(tmp_path / "slide", "tiny_s0")


def on_he(x_um, y_um):
    """Return where a point lies on the H&E: the matrix of the slide, turned round by hand."""
    x, y = x_um / three_cells.PIXEL_SIZE_UM, y_um / three_cells.PIXEL_SIZE_UM
    return (y - 10) / 1.2, (380 - x) / 1.2


def test_nuclei_lie_where_the_transform_puts_them_with_the_labels_of_their_cells(slide):
    (part,) = slide.nuclei_on_he()
    assert part["nucleus_id"].tolist() == [1, 2, 3]
    assert part["cell_id"].tolist() == list(three_cells.OWNERS)
    assert part["final_label"].tolist() == ["T_NK", "T_NK", "Epithelial"]
    corners = [on_he(x, y) for x, y in ((20, 20), (26, 26))]
    left, top, right, bottom = part["geometry"][0].bounds
    expected = np.sort(np.array(corners), axis=0).ravel()
    np.testing.assert_allclose([left, top, right, bottom], expected, atol=0.005)


def test_cells_without_an_outline_are_left_out_and_that_is_said(slide, caplog):
    with caplog.at_level(logging.INFO):
        (part,) = slide.cells_on_he()
    assert part["cell_id"].tolist() == list(three_cells.CELLS[:2])
    assert "kept 2 of 3 outlines of cells" in caplog.text


def test_outlines_come_some_at_a_time(slide, monkeypatch):
    monkeypatch.setattr(slide_files, "_ROWS_AT_A_TIME", 2)
    assert [part["nucleus_id"].tolist() for part in slide.nuclei_on_he()] == [[1, 2], [3]]


def test_nuclei_beside_the_image_are_left_out(slide):
    nuclei = read_table(slide.nuclei, NUCLEI)
    nuclei.loc[1, "geometry"] = box(500, 500, 502, 502)
    write_table(slide.nuclei, nuclei, NUCLEI, {})
    (part,) = slide.nuclei_on_he()
    assert part["nucleus_id"].tolist() == [1, 3]
    assert shapely.is_valid(part["geometry"].to_numpy()).all()
