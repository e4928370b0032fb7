import numpy as np
import pytest
import shapely
import tifffile
from scipy import ndimage

from sthelar_build.adapters.dapi_nuclei import Layout, grey_range, nuclei_in_tiles
from sthelar_build.io.images.morphology import open_morphology

HEIGHT_PX, WIDTH_PX = 370, 480
GREYS = (100.0, 1100.0)


def bright_objects(tile):
    """A segmenter without chance: what is brighter than half, object by object."""
    return ndimage.label(tile > 0.5)[0]


@pytest.fixture(scope="module")
def discs():
    """The rows, columns and radii of 144 discs of 6 to 9 px, none of which touch, some at the border of the image."""
    rng = np.random.default_rng(0)
    rows, columns = (places.ravel() for places in np.mgrid[0:HEIGHT_PX:32, 0:WIDTH_PX:42])
    return [
        (row + rng.integers(0, 9), column + rng.integers(0, 17), rng.integers(6, 10))
        for row, column in zip(rows, columns, strict=True)
    ]


@pytest.fixture(scope="module")
def path(discs, tmp_path_factory):
    grey = np.full((HEIGHT_PX, WIDTH_PX), 100, dtype=np.uint16)
    y, x = np.indices(grey.shape)
    for row, column, radius in discs:
        grey[(y - row) ** 2 + (x - column) ** 2 < radius**2] = 1100
    path = tmp_path_factory.mktemp("dapi") / "morphology.ome.tif"
    tifffile.imwrite(path, grey, tile=(64, 64))
    return path


def nuclei(path, side_px, margin_px=40, segment=bright_objects):
    with open_morphology(path) as image:
        return nuclei_in_tiles(image, segment, GREYS, Layout(side_px, margin_px, 0.25))


@pytest.mark.parametrize("side_px", [64, 97, 256])
def test_tiles_of_any_size_give_the_same_nuclei_as_one(path, discs, side_px):
    one = nuclei(path, 1000)
    assert len(one) == len(discs)
    many = nuclei(path, side_px)
    assert [shape.wkb for shape in shapely.normalize(many)] == [
        shape.wkb for shape in shapely.normalize(one)
    ]


def test_nuclei_lie_on_their_pixels(path):
    with open_morphology(path) as image:
        bright = image.read(0, 0, WIDTH_PX, HEIGHT_PX) > 600
    assert shapely.area(nuclei(path, 150)).sum() == bright.sum()


def test_a_segmenter_that_sees_a_nucleus_otherwise_in_every_tile_still_gives_it_once(path, discs):
    turns = iter(range(1000))

    def shaky(tile):
        # Every other tile shows its objects a pixel larger: centroids move, areas differ.
        return ndimage.label(ndimage.binary_dilation(tile > 0.5, iterations=1 + next(turns) % 2))[0]

    found = nuclei(path, 97, segment=shaky)
    assert len(found) == len(discs)
    one, two = shapely.STRtree(found).query(found, predicate="intersects")
    assert (
        shapely.area(shapely.intersection(found[one[one < two]], found[two[one < two]])).sum() == 0
    )


def test_tiles_without_light_are_not_segmented(tmp_path):
    path = tmp_path / "dark.ome.tif"
    tifffile.imwrite(path, np.full((100, 300), 90, np.uint16), tile=(64, 64))
    assert len(nuclei(path, 64, segment=None)) == 0


def test_no_tile_is_larger_than_its_margin_makes_it(path):
    sizes = []

    def seen(tile):
        sizes.append(tile.shape)
        return bright_objects(tile)

    nuclei(path, 100, margin_px=30, segment=seen)
    assert max(sizes) == (160, 160)
    assert len(sizes) == 4 * 5


def test_greys_are_percentiles_of_the_whole_image(tmp_path):
    path = tmp_path / "ramp.ome.tif"
    tifffile.imwrite(path, np.arange(10_000, dtype=np.uint16).reshape(100, 100), tile=(64, 64))
    with open_morphology(path) as image:
        low, high = grey_range(image, (1, 99.5))
    assert (low, high) == pytest.approx((100, 9950), abs=2)
