"""The patches of spots as HEST keeps them: one h5 a slide, a patch a chunk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.spot_squares import PATCH_PX, SpotSquares
from sthelar_build.errors import InputError
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.progress import progress
from sthelar_build.io.workers import map_threads

IMG, COORDS, BARCODE = "img", "coords", "barcode"

_SHAPE = (PATCH_PX, PATCH_PX, 3)


def write_spot_patches(
    path: Path,
    he: HeImage,
    squares: SpotSquares,
    barcodes: Sequence[str],
    he_um_per_px: float,
    threads: int,
) -> None:
    """Write ``img`` uint8 (n, 224, 224, 3), ``coords`` int64 (n, 2) left and top in level-0 px, ``barcode`` (n, 1).

    What of a square lies beyond the image is white. The caller publishes the file.
    """
    facts = {
        "patch_size_src": squares.side_he_px,
        "patch_size_target": PATCH_PX,
        "downsample": squares.downsample,
        "pixel_size": he_um_per_px,
    }

    def cut(corner: NDArray[np.int64]) -> NDArray[np.uint8]:
        return he.read_area(int(corner[0]), int(corner[1]), squares.side_he_px, PATCH_PX)

    n = len(barcodes)
    with h5py.File(path, "x") as file:
        images = _dataset(file, IMG, (n, *_SHAPE), np.uint8, facts | {"name": path.stem})
        coords = _dataset(file, COORDS, (n, 2), np.int64, facts)
        names = _dataset(file, BARCODE, (n, 1), h5py.string_dtype("utf-8"), {})
        patches = map_threads(cut, squares.corners_he_px, threads)
        for row, pixels in enumerate(progress(patches, f"{path.stem} spots", n)):
            images[row] = pixels
        if n:
            coords[:] = squares.corners_he_px
            names[:, 0] = list(barcodes)


def patch_middles(path: Path) -> pd.DataFrame:
    """Return the middle (``x_he_px``, ``y_he_px``) of every patch, by barcode; InputError if the datasets do not fit."""
    with h5py.File(path) as file:
        images, coords, names = file[IMG], file[COORDS], file[BARCODE]
        if not (len(images) == len(coords) == len(names) and images.shape[1:] == _SHAPE):
            raise InputError(
                f"{path}: expected a patch of {_SHAPE}, a place and a barcode for each spot, found "
                f"{images.shape}, {coords.shape} and {names.shape}; export it again"
            )
        middles = coords[:] + images.attrs["patch_size_src"] // 2
        barcodes = names.asstr()[:, 0] if len(names) else []
    return pd.DataFrame(middles, index=list(barcodes), columns=["x_he_px", "y_he_px"])


def _dataset(
    file: h5py.File, name: str, shape: tuple[int, ...], dtype: Any, facts: dict[str, Any]
) -> h5py.Dataset:
    dataset = file.create_dataset(
        name, shape, dtype, maxshape=(None, *shape[1:]), chunks=(1, *shape[1:])
    )
    dataset.attrs.update(facts)
    return dataset
