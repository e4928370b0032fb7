"""Which tiles hold nuclei, and in which order they are looked at."""

import numpy as np

from sthelar_build.core.nucleus_tiles import in_blocks, tiles_with_nuclei


def test_tiles_are_numbered_row_by_row_and_only_those_with_nuclei():
    centroids = np.array([[250.0, 10], [20, 10], [30, 20], [20, 310]])
    tiles = tiles_with_nuclei(centroids, 100)
    assert tiles.tile.tolist() == [0, 1, 2]
    assert tiles[["x_um", "y_um"]].to_numpy().tolist() == [[50, 50], [250, 50], [50, 350]]
    assert tiles.n_nuclei.tolist() == [2, 1, 1]


def test_tiles_come_block_by_block_and_keep_their_numbers():
    x_um, y_um = np.meshgrid(np.arange(4) * 100.0 + 50, np.arange(2) * 100.0 + 50)
    tiles = tiles_with_nuclei(np.stack([x_um.ravel(), y_um.ravel()], axis=1), 100)
    assert in_blocks(tiles, block_um=200).tile.tolist() == [0, 1, 4, 5, 2, 3, 6, 7]
    assert in_blocks(tiles, block_um=200).sort_index().equals(tiles)
