"""The transcripts of a slide, pooled; numbers can be told from the five of ``three_cells``."""

import logging

import numpy as np
import pytest

from slides import three_cells, whole_slides
from sthelar_build.io.spots import read_spots
from sthelar_build.settings.export_slides import ExportSlidesSettings


@pytest.fixture
def slide(tmp_path):
    return whole_slides.whole_slide(tmp_path / "slide", "tiny_s0")


def squares(side_um, **settings):
    return ExportSlidesSettings(spot_um=side_um, spot_spacing_um=side_um, **settings)


def test_transcripts_are_pooled_by_place_whether_in_a_cell_or_not(slide):
    # Genes at (22, 22), (34, 24), (52, 44) and (70, 10); a control of low quality at (1, 2).
    spots = read_spots(slide, squares(30))
    assert spots.table.index.tolist() == ["000x000", "000x001", "000x002", "001x001"]
    assert spots.genes["name"].tolist() == list(three_cells.GENES)
    # CD3E, EPCAM, MS4A1, VWF
    expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]]
    assert spots.counts.toarray().tolist() == expected
    assert spots.counts.dtype == np.int32


def test_centres_go_through_the_transform(slide):
    spots = read_spots(slide, squares(30))
    assert spots.table.loc["001x001", ["x_um", "y_um"]].tolist() == [45, 45]
    x, y = 45 / three_cells.PIXEL_SIZE_UM, 45 / three_cells.PIXEL_SIZE_UM
    found = spots.table.loc["001x001", ["x_he_px", "y_he_px"]].to_numpy(dtype=float)
    np.testing.assert_allclose(found, [(y - 10) / 1.2, (380 - x) / 1.2])
    assert spots.diameter_he_px == pytest.approx(30 / (1.2 * three_cells.PIXEL_SIZE_UM))


def test_what_is_left_out_is_said(slide, caplog):
    with caplog.at_level(logging.INFO):
        spots = read_spots(slide, squares(30, spot_min_qv=25))
    assert spots.table.index.tolist() == ["000x000", "000x001", "000x002"]
    assert "kept 3 of 5 transcripts" in caplog.text
    assert "the others lie beside the H&E" in caplog.text


def test_counts_between_discs_are_lost(slide):
    settings = ExportSlidesSettings(spot_layout="hex", spot_um=4, spot_spacing_um=44)
    # Centre of the first disc: (22, 19.05); the transcript at (22, 22) is farther than 2 um.
    assert read_spots(slide, settings).counts.sum() == 0
    wider = settings.model_copy(update={"spot_um": 6})
    assert read_spots(slide, wider).counts.sum() == 1
