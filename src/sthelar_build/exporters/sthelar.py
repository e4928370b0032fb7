"""STHELAR: sparse masks per slide, images, class dictionaries, and maps of cell numbers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from sthelar_build.config import ExportSettings
from sthelar_build.core.patches import counters
from sthelar_build.errors import InputError
from sthelar_build.io.npz import StoredArray, npz_writer, stored_arrays
from sthelar_build.io.patch_images import encoded
from sthelar_build.io.patch_stream import Patch, PatchSource
from sthelar_build.io.progress import progress
from sthelar_build.io.zips import zip_writer
from sthelar_build.schema.labels import CLASSES, PATCH_CLASS_NAMES, PATCH_CLASSES

_COLUMNS = len(PATCH_CLASS_NAMES) + 1
_ENTRIES_PER_PIXEL = 2
_INT32_MAX = np.iinfo(np.int32).max
_CHUNK = 2**22


def write(source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
    """Write the published layout: masks, patch ids and cell numbers per slide, zips over all slides."""
    out.mkdir()
    _write_dictionaries(out / "annot_dicts")
    with zip_writer(out / "images.zip") as images:
        patches = progress(source, "images", len(source))
        for patch, png in encoded(patches, settings.png_level, threads):
            images.add(f"{patch.name}.png", png, compress=False)
    _write_cell_maps(source, out / "masks_cell_ids_nuclei.zip")
    for slide in source.slides:
        _write_masks(source, slide, out / f"masks_{slide}.npz", settings.deflate_level)
        np.save(out / f"patch_ids_{slide}.npy", _patch_ids(source, slide))
        source.cells(slide).to_csv(out / f"cell_numbers_{slide}.csv", index=False)


def validate(folder: Path) -> None:
    """Raise InputError unless scipy, numpy and zipfile find what the layout promises."""
    names = []
    for path in sorted(folder.glob("masks_*.npz")):
        slide = path.stem.removeprefix("masks_")
        ids = np.load(folder / f"patch_ids_{slide}.npy")
        _check_masks(path, len(ids))
        names += [f"{slide}_{patch_id}" for patch_id in ids]
    for archive, suffix in (("images.zip", "png"), ("masks_cell_ids_nuclei.zip", "npz")):
        with zipfile.ZipFile(folder / archive) as found:
            if found.namelist() != [f"{name}.{suffix}" for name in names]:
                raise InputError(
                    f"{folder / archive}: expected one entry per patch of patch_ids_*.npy, found others; export it again"
                )
    cat2idx = json.loads((folder / "annot_dicts" / "cat2idx.json").read_text(encoding="utf-8"))
    if sorted(cat2idx.values()) != list(range(len(PATCH_CLASS_NAMES))):
        raise InputError(
            f"{folder}: expected classes numbered from 0 without a gap, found {cat2idx}"
        )


def _write_dictionaries(folder: Path) -> None:
    folder.mkdir()
    dictionaries: dict[str, dict[str, Any]] = {
        "label2cat": {c.name: c.patch_class for c in CLASSES},
        "cat2idx": {c.name: c.index - 1 for c in PATCH_CLASSES},
        "cat2color": {c.name: list(c.colour) for c in PATCH_CLASSES},
    }
    for name, values in dictionaries.items():
        (folder / f"{name}.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _patch_ids(source: PatchSource, slide: str) -> NDArray[np.int64]:
    rows = source.table[source.table["slide"] == slide]
    return np.asarray(rows["patch_id"].to_numpy(dtype=np.int64))


def _write_cell_maps(source: PatchSource, path: Path) -> None:
    with zip_writer(path) as archive:
        for slide in source.slides:
            cell_of = source.cell_numbers(slide)
            for patch in source.of_slide(slide):
                content = io.BytesIO()
                cells = scipy.sparse.csr_matrix(cell_of[patch.instances])
                scipy.sparse.save_npz(content, cells)
                archive.add(f"{patch.name}.npz", content.getvalue(), compress=False)


def _write_masks(source: PatchSource, slide: str, path: Path, deflate_level: int) -> None:
    """Write a CSR matrix of one row per pixel, its parts one after the other, as ``scipy.sparse.load_npz`` reads it."""
    n_rows = int((source.table["slide"] == slide).sum()) * source.side_px**2
    n_values = _ENTRIES_PER_PIXEL * source.foreground_px(slide)
    index = np.int32 if max(n_rows + 1, n_values) <= _INT32_MAX else np.int64

    def stream(part: Callable[[Patch], NDArray[Any]]) -> Iterator[NDArray[Any]]:
        return (part(patch) for patch in source.of_slide(slide))

    with npz_writer(path, deflate_level) as arrays:
        arrays.add("indices", index, (n_values,), stream(_columns))
        arrays.add("indptr", index, (n_rows + 1,), _row_pointers(stream(_drawn)))
        arrays.add("format", "|S3", (), [np.array([b"csr"])])
        arrays.add("shape", np.int64, (2,), [np.array([n_rows, _COLUMNS])])
        arrays.add("data", np.int32, (n_values,), stream(_values))


def _drawn(patch: Patch) -> NDArray[np.bool_]:
    return np.asarray(patch.dense.ravel() > 0)


def _instance_of_pixel(patch: Patch) -> NDArray[np.int32]:
    return patch.dense[patch.dense > 0] - 1


def _columns(patch: Patch) -> NDArray[np.int64]:
    category = patch.class_of[_instance_of_pixel(patch)].astype(np.int64) - 1
    return np.stack([category, np.full_like(category, _COLUMNS - 1)], axis=1).ravel()


def _values(patch: Patch) -> NDArray[np.int32]:
    instance = _instance_of_pixel(patch)
    class_of = patch.class_of
    pairs = [counters(class_of)[instance], class_of[instance].astype(np.int32)]
    return np.stack(pairs, axis=1).ravel()


def _row_pointers(drawn: Iterator[NDArray[np.bool_]]) -> Iterator[NDArray[np.int64]]:
    total = np.int64(0)
    yield np.zeros(1, dtype=np.int64)
    for pixels in drawn:
        ends = total + _ENTRIES_PER_PIXEL * np.cumsum(pixels, dtype=np.int64)
        total = ends[-1]
        yield ends


def _check_masks(path: Path, n_patches: int) -> None:
    parts = stored_arrays(path)
    with np.load(path) as arrays:
        shape, matrix_format = arrays["shape"], arrays["format"].item()
    flaws = {
        "format": matrix_format != b"csr",
        "shape": shape[1] != _COLUMNS or (n_patches and shape[0] % n_patches != 0),
        "indptr": parts["indptr"].shape != (shape[0] + 1,) or not _rises(parts["indptr"]),
        "indices": not _alternates(parts["indices"]),
        "data": not _within_classes(parts["data"]) or parts["data"].shape != parts["indices"].shape,
    }
    wrong = [part for part, flaw in flaws.items() if flaw]
    if wrong:
        raise InputError(
            f"{path}: expected a CSR matrix of masks, found wrong {', '.join(wrong)}; export it again"
        )


def _rises(row_pointers: StoredArray) -> bool:
    last = 0
    for chunk in row_pointers.chunks(_CHUNK):
        steps = np.diff(chunk, prepend=last)
        if not np.isin(steps, (0, _ENTRIES_PER_PIXEL)).all():
            return False
        last = int(chunk[-1])
    return True


def _alternates(columns: StoredArray) -> bool:
    return all(
        (chunk[::2] < _COLUMNS - 1).all() and (chunk[1::2] == _COLUMNS - 1).all()
        for chunk in columns.chunks(_CHUNK)
    )


def _within_classes(values: StoredArray) -> bool:
    return all(
        (chunk > 0).all() and (chunk[1::2] < _COLUMNS).all() for chunk in values.chunks(_CHUNK)
    )
