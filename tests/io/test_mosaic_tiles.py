import numpy as np
import pytest
import tifffile

from sthelar_build.core.simulation.mosaic_image import MosaicImage, Place
from sthelar_build.io import mosaic_tiles
from sthelar_build.io.ome_tiff import halve, write_ome_tiff

RNG = np.random.default_rng(1)
PLACES = ((Place(0, False, False), Place(1, True, False), Place(0, False, True)),)


def image_of(*shape, dtype=np.uint16):
    blocks = tuple(RNG.integers(0, 255, shape).astype(dtype) for _ in range(2))
    return MosaicImage(blocks, PLACES)


def whole(image):
    return image.pixels(image.pieces(0, 0, 10_000))


@pytest.mark.parametrize("side", [64, 80])
def test_every_level_is_that_of_the_same_image_in_memory(tmp_path, side):
    image = image_of(side, side)
    path = tmp_path / "a.ome.tif"
    write_ome_tiff(path, image, 0.2125, channel_names=["DAPI"], tile_px=32, levels=4)
    expected = whole(image)
    with tifffile.TiffFile(path) as tiff:
        levels = tiff.series[0].levels
        assert len(levels) == 4
        for level in levels:
            np.testing.assert_array_equal(level.asarray(), expected)
            expected = halve(expected)


def test_a_jpeg_has_the_bytes_that_the_image_in_memory_has(tmp_path):
    image = image_of(64, 64, 3, dtype=np.uint8)
    for name, pixels in (("mosaic", image), ("memory", whole(image))):
        write_ome_tiff(
            tmp_path / f"{name}.tif", pixels, 0.25, channel_names=["RGB"], compression="jpeg", tile_px=32
        )  # fmt: skip
    found, expected = (tifffile.imread(tmp_path / f"{name}.tif") for name in ("mosaic", "memory"))
    np.testing.assert_array_equal(found, expected)


def test_what_is_seen_twice_is_compressed_once(monkeypatch):
    made = []

    def compressed(tile, options):
        made.append(tile)
        return b"tile"

    monkeypatch.setattr(mosaic_tiles, "_compressed", compressed)
    image = MosaicImage((np.ones((32, 32), np.uint16),), ((Place(0, False, False),) * 5,) * 4)
    tiles = list(mosaic_tiles.mosaic_tiles(image, {"tile": (32, 32)}))
    assert len(tiles) == 20
    assert len(made) == 1
