"""Pyramids of tiles on disk."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image

from sthelar_build.io.tile_files import tile_name, write_tiles


@dataclass
class Gradient:
    """Grey that grows to the right, so that a tile says where it comes from."""

    width_px: int = 1100
    height_px: int = 70
    read_px: list[int] = field(default_factory=list)

    def read(self, left_px, top_px, width_px, height_px):
        self.read_px.append(width_px * height_px)
        row = np.arange(left_px, left_px + width_px) // 5
        return np.tile(row.astype(np.uint8), (height_px, 1))


def pixels(folder, *place):
    with Image.open(folder / tile_name(*place)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("threads", [1, 2])
def test_every_level_shows_the_image_and_every_pixel_is_read_once(tmp_path, threads):
    source = Gradient()
    levels = write_tiles(tmp_path / "tiles", source, 16, 95, threads)
    assert [(level.columns, level.rows) for level in levels][:3] == [(69, 5), (35, 3), (18, 2)]
    assert sum(source.read_px) == 1100 * 70
    n_tiles = sum(level.columns * level.rows for level in levels)
    assert len(list((tmp_path / "tiles").iterdir())) == n_tiles
    assert pixels(tmp_path / "tiles", 0, 68, 4).shape == (70 - 64, 1100 - 1088)
    for level, found in enumerate(levels):
        last = pixels(tmp_path / "tiles", level, found.columns - 1, 0)
        assert int(last[0, -1]) == pytest.approx(219, abs=3 * 2**level / 5 + 3)
        assert int(pixels(tmp_path / "tiles", level, 0, 0)[0, 0]) == pytest.approx(0, abs=2**level)


def test_colours_stay(tmp_path):
    class Red(Gradient):
        def read(self, left_px, top_px, width_px, height_px):
            return np.full((height_px, width_px, 3), (200, 10, 10), np.uint8)

    write_tiles(tmp_path / "tiles", Red(40, 40), 32, 90, 1)
    assert pixels(tmp_path / "tiles", 1, 0, 0)[3, 3] == pytest.approx((200, 10, 10), abs=3)
