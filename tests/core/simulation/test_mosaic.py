import numpy as np

from slides.five_cells import SHAPE_PX, five_cells
from sthelar_build.core.simulation.mosaic import Mosaic, chosen_places
from sthelar_build.core.simulation.mosaic_image import Place
from sthelar_build.core.simulation.placed import First
from sthelar_build.core.simulation.redraw import Redraw

PLACES = ((Place(0, False, False), Place(1, True, False)), (Place(1, False, True), Place(1, False, False)))  # fmt: skip


def mosaic():
    return Mosaic((five_cells(seed=1), five_cells(seed=2, n_transcripts=50)), PLACES)


def test_a_slide_is_the_mosaic_of_itself():
    slide = five_cells()
    only = list(Mosaic.of(slide).parts())
    assert len(only) == 1
    assert only[0].slide is slide
    assert Mosaic.of(slide).morphology("DAPI") is slide.morphology["DAPI"]


def test_parts_come_row_by_row_and_count_on():
    parts = list(mosaic().parts())
    height_px, width_px = SHAPE_PX
    corners = [(part.top_px, part.left_px) for part in parts]
    assert corners == [(0, 0), (0, width_px), (height_px, 0), (height_px, width_px)]
    assert [part.first.cells for part in parts] == [0, 5, 10, 15]
    assert [part.first.transcripts for part in parts] == [0, 600, 650, 700]


def test_the_sizes_are_the_sums_of_the_parts():
    assert mosaic().sizes == First(cells=20, nuclei=20, transcripts=750)
    assert mosaic().copies.tolist() == [1, 3]
    assert mosaic().shape_px == (2 * SHAPE_PX[0], 2 * SHAPE_PX[1])


def test_no_two_parts_of_one_block_have_the_same_molecules():
    blocks = mosaic().blocks
    parts = list(Mosaic(blocks, PLACES, redraw=Redraw.of(blocks, 1, 0.4)).parts())
    genes = [part.slide.transcripts["codeword_index"].tolist() for part in parts if part.block == 1]
    assert len({tuple(found) for found in genes}) == 3
    assert [len(found) for found in genes] == [50, 50, 50]


def test_parts_without_molecules_lie_where_those_with_them_do():
    for with_them, without in zip(mosaic().parts(), mosaic().parts(molecules=False), strict=True):
        assert without.slide.transcripts.empty
        assert without.first == with_them.first
        assert without.slide.cells.equals(with_them.slide.cells)


def test_every_block_is_laid_out_and_chance_is_an_argument():
    places = chosen_places(1, 4, 5, 3)
    found = np.bincount([place.block for row in places for place in row])
    assert [len(row) for row in places] == [5, 5, 5, 5]
    assert sorted(found.tolist()) == [6, 7, 7]
    assert places == chosen_places(1, 4, 5, 3)
    assert places != chosen_places(2, 4, 5, 3)
