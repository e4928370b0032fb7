"""The cache of decoded tiles."""

import numpy as np

from sthelar_build.io.images.tiff_windows import TileCache


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
