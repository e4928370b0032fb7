import numpy as np
import pytest
import shapely

from slides.five_cells import SHAPE_PX, five_cells
from sthelar_build.core.simulation.mosaic_image import Place
from sthelar_build.core.simulation.placed import First, placed, scattered_prefixes
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM

WIDTH_UM = SHAPE_PX[1] * PIXEL_SIZE_UM
SECOND = First(cells=5, nuclei=5, transcripts=600)


def second(place, numbered=False):
    return placed(five_cells(), place, (0, SHAPE_PX[1]), SECOND, numbered)


def test_a_block_moves_with_all_that_it_holds():
    block, part = five_cells(), second(Place(0, False, False))
    shift = pytest.approx(WIDTH_UM, abs=1e-4)
    assert part.cells.bounds["minx"][0] - block.cells.bounds["minx"][0] == shift
    assert part.nuclei.bounds["minx"][4] - block.nuclei.bounds["minx"][4] == shift
    assert part.nuclei["ring"][2][0][0] - block.nuclei["ring"][2][0][0] == shift
    moved = part.transcripts["x_um"] - block.transcripts["x_um"]
    assert moved.mean() == shift
    assert part.transcripts["y_um"].tolist() == block.transcripts["y_um"].tolist()


def test_a_mirrored_block_keeps_every_transcript_in_its_cell():
    part = second(Place(0, True, True))
    inside = part.transcripts[part.transcripts["cell_row"] >= 0]
    cells = part.cells.geometry.to_numpy()[inside["cell_row"]]
    distance_um = shapely.distance(cells, shapely.points(inside[["x_um", "y_um"]].to_numpy()))
    assert distance_um.max() < 1e-5
    assert part.cells.bounds["maxx"][0] == pytest.approx(2 * WIDTH_UM - 1, abs=1e-4)


def test_transcripts_are_numbered_on():
    block, part = five_cells(), second(Place(0, False, False))
    expected = block.transcripts["transcript_id"] + np.uint64(600)
    assert part.transcripts["transcript_id"].tolist() == expected.tolist()


def test_no_two_parts_share_a_cell_id_and_one_has_the_hardest():
    first = placed(five_cells(), Place(0, False, False), (0, 0), First(), False)
    ids = [*first.cells["cell_id"], *second(Place(0, False, False)).cells["cell_id"]]
    assert len(set(ids)) == 10
    assert ids.count("pppppppp-12") == 1


def test_cells_are_numbered_on_where_the_version_numbers_them():
    numbered = second(Place(0, False, False), numbered=True).cells
    assert numbered["cell_id"].tolist() == ["6", "7", "8", "9", "10"]


def test_scattered_prefixes_go_on_where_they_ended():
    assert scattered_prefixes(2, 1).tolist() == scattered_prefixes(0, 3)[2:].tolist()
    assert len(set(scattered_prefixes(0, 100_000).tolist())) == 100_000
