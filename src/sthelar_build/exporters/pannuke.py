"""PanNuke: one compressed npz per slide, and on request the fold form, both written as a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.patches import class_channels
from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.errors import InputError
from sthelar_build.io.npz import StoredArray, npz_writer, stored_arrays, write_npy
from sthelar_build.io.patch_classes import PatchClasses
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_patches import Patch
from sthelar_build.schema.pannuke import (
    IMAGE_DTYPE,
    IMAGES,
    MASK_DTYPE,
    MASKS,
    PATCH_IDS,
    TYPES,
    mask_shape,
)
from sthelar_build.settings.export import ExportSettings

CLASSES = "classes.json"
"""Name of every class -> its number; channel = number - 1."""

_ROWS = 64

Stream: TypeAlias = Callable[[Callable[[Patch], NDArray[Any]]], Iterator[NDArray[Any]]]


def write(source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
    """Write ``{slide}.npz`` for every slide, ``classes.json``, and ``fold_{split}/`` if the settings ask for it."""
    out.mkdir()
    classes = PatchClasses(source, settings.grouping)
    numbers = {name: index for index, name in enumerate(classes.names, start=1)}
    (out / CLASSES).write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    for slide in source.slides:
        _write_slide(source, classes, slide, out / f"{slide}.npz", settings, threads)
    if settings.pannuke_folds:
        for split in SPLIT_NAMES:
            _write_fold(source, classes, split, out / f"fold_{split}", threads)


def validate(folder: Path) -> None:
    """Raise InputError unless numpy reads every file and the background flag is right on every pixel."""
    n_classes = len(json.loads((folder / CLASSES).read_text(encoding="utf-8")))
    for path in sorted(folder.glob("*.npz")):
        arrays = stored_arrays(path)
        if set(arrays) != {IMAGES, MASKS, TYPES, PATCH_IDS}:
            raise InputError(f"{path}: expected the arrays of PanNuke, found {', '.join(arrays)}")
        _check_shapes(path, arrays, n_classes)
        for chunk in arrays[MASKS].chunks(_ROWS):
            _check_masks(path, chunk)
    for fold in sorted(folder.glob("fold_*")):
        loaded = {
            name: np.load(fold / f"{name}.npy", mmap_mode="r") for name in (IMAGES, MASKS, TYPES)
        }
        _check_shapes(fold, loaded, n_classes)
        for start in range(0, len(loaded[MASKS]), _ROWS):
            _check_masks(fold, loaded[MASKS][start : start + _ROWS])


def _write_slide(
    source: PatchSource,
    classes: PatchClasses,
    slide: str,
    path: Path,
    settings: ExportSettings,
    threads: int,
) -> None:
    rows = source.table[source.table["slide"] == slide]
    n, side_px = len(rows), source.side_px
    stream = _stream_of(partial(source.each_of_slide, slide), n, slide, threads)
    with npz_writer(path, settings.deflate_level, threads) as arrays:
        arrays.add(IMAGES, IMAGE_DTYPE, (n, side_px, side_px, 3), stream(_image))
        arrays.add(
            MASKS, MASK_DTYPE, mask_shape(n, side_px, len(classes.names)), stream(_masks(classes))
        )
        for name, column in ((TYPES, "tissue"), (PATCH_IDS, "name")):
            texts = rows[column].to_numpy(dtype=str)
            arrays.add(name, texts.dtype, texts.shape, [texts])


def _write_fold(
    source: PatchSource, classes: PatchClasses, split: str, folder: Path, threads: int
) -> None:
    folder.mkdir()
    rows = source.table[source.table["split"] == split]
    n, side_px = len(rows), source.side_px
    stream = _stream_of(partial(source.each_of_split, split), n, split, threads)
    with (folder / f"{IMAGES}.npy").open("xb") as file:
        write_npy(file, IMAGE_DTYPE, (n, side_px, side_px, 3), stream(_image))
    with (folder / f"{MASKS}.npy").open("xb") as file:
        write_npy(
            file, MASK_DTYPE, mask_shape(n, side_px, len(classes.names)), stream(_masks(classes))
        )
    tissues = rows["tissue"].to_numpy(dtype=str)
    with (folder / f"{TYPES}.npy").open("xb") as file:
        write_npy(file, tissues.dtype, tissues.shape, [tissues])


def _stream_of(each: Callable[..., Any], n: int, what: str, threads: int) -> Stream:
    """Return what streams a value of every patch, made by several threads."""

    def stream(values: Callable[[Patch], NDArray[Any]]) -> Iterator[NDArray[Any]]:
        name = values.__name__.removeprefix("_")
        pairs = progress(each(values, threads), f"{what} {name}s", n)
        return (value[None] for _, value in pairs)

    return stream


def _image(patch: Patch) -> NDArray[np.uint8]:
    return patch.image


def _masks(classes: PatchClasses) -> Callable[[Patch], NDArray[np.uint16]]:
    def _mask(patch: Patch) -> NDArray[np.uint16]:
        return class_channels(patch.dense, classes.of(patch), len(classes.names), MASK_DTYPE)

    return _mask


def _check_shapes(
    where: Path, arrays: dict[str, StoredArray] | dict[str, NDArray[Any]], n_classes: int
) -> None:
    n, side_px = arrays[IMAGES].shape[:2]
    expected = {
        IMAGES: ((n, side_px, side_px, 3), IMAGE_DTYPE),
        MASKS: (mask_shape(n, side_px, n_classes), MASK_DTYPE),
        TYPES: ((n,), arrays[TYPES].dtype),
        PATCH_IDS: ((n,), arrays[PATCH_IDS].dtype if PATCH_IDS in arrays else None),
    }
    for name, array in arrays.items():
        if (array.shape, array.dtype) != expected[name]:
            raise InputError(
                f"{where}: {name}: expected {expected[name]}, found {(array.shape, array.dtype)}; "
                "export it again"
            )


def _check_masks(where: Path, masks: NDArray[Any]) -> None:
    drawn = np.count_nonzero(masks[..., :-1], axis=-1)
    if (drawn > 1).any() or not np.array_equal(masks[..., -1], drawn == 0):
        raise InputError(
            f"{where}: expected every pixel in one class or in the background, found others; export it again"
        )
