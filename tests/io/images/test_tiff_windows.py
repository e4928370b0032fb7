"""The cache of decoded tiles."""

import numpy as np
import tifffile

from sthelar_build.io.images.tiff_windows import TiffLevel, TileCache


def tile():
    return np.zeros(100, np.uint8)


def test_a_tile_that_is_held_is_not_decoded_again():
    cache = TileCache(capacity_bytes=1000)
    assert cache.get("a", tile) is cache.get("a", tile)
    assert cache.decoded == 1


def test_the_tile_that_was_not_used_for_longest_goes_first():
    cache = TileCache(capacity_bytes=200)
    for key in "abacab":
        cache.get(key, tile)
    # a, b are decoded; c pushes out b; a is still held; b is decoded again.
    assert cache.decoded == 4


def test_a_tile_larger_than_the_cache_is_still_given():
    cache = TileCache(capacity_bytes=10)
    assert cache.get("a", tile).nbytes == 100


def test_the_file_is_read_under_its_lock_from_the_first_tile_on(tmp_path, monkeypatch):
    """tifffile looks into the file unlocked when a JPEG decoder is made: threads must not trigger that."""
    path = tmp_path / "jpeg.tif"
    image = np.full((64, 64, 3), 200, np.uint8)
    tifffile.imwrite(path, image, photometric="rgb", tile=(32, 32), compression="jpeg")
    locked = []
    seek = tifffile.FileHandle.seek

    def spy(self, *arguments):
        locked.append(self.lock._is_owned())
        return seek(self, *arguments)

    with tifffile.TiffFile(path) as file:
        level = TiffLevel(path, file, [file.pages[0]], TileCache(10**6))
        monkeypatch.setattr(tifffile.FileHandle, "seek", spy)
        level.read(0, 0, 64, 64)
    assert locked
    assert all(locked)
