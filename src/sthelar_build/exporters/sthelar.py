"""STHELAR: sparse masks per slide, images, class dictionaries, and maps of cell numbers."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.patches import counters
from sthelar_build.errors import InputError
from sthelar_build.io.npz import (
    StoredArray,
    npz_bytes,
    npz_writer,
    stored_arrays,
    write_npy,
)
from sthelar_build.io.patch_classes import PatchClasses
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.io.png import png_bytes
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_patches import Patch
from sthelar_build.io.zips import Entry, packed, zip_writer
from sthelar_build.schema.groupings import Grouping
from sthelar_build.settings.export import ExportSettings

_ENTRIES_PER_PIXEL = 2
_INT32_MAX = np.iinfo(np.int32).max
_CHUNK = 2**22


def write(source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
    """Write the published layout: masks, patch ids and cell numbers per slide, zips over all slides."""
    out.mkdir()
    classes = PatchClasses(source, settings.grouping)
    _write_dictionaries(out / "annot_dicts", classes.grouping)
    _write_images(source, out, settings, threads)
    for slide in source.slides:
        _write_masks(source, classes, slide, out / f"masks_{slide}.npz", settings, threads)
        patch_ids = _patch_ids(source, slide)
        with (out / f"patch_ids_{slide}.npy").open("xb") as file:
            write_npy(file, patch_ids.dtype, patch_ids.shape, [patch_ids])
        source.cells(slide).to_csv(out / f"cell_numbers_{slide}.csv", index=False)


def validate(folder: Path) -> None:
    """Raise InputError unless scipy, numpy and zipfile find what the layout promises."""
    names = []
    cat2idx = json.loads((folder / "annot_dicts" / "cat2idx.json").read_text(encoding="utf-8"))
    if sorted(cat2idx.values()) != list(range(len(cat2idx))):
        raise InputError(
            f"{folder}: expected classes numbered from 0 without a gap, found {cat2idx}"
        )
    for path in sorted(folder.glob("masks_*.npz")):
        slide = path.stem.removeprefix("masks_")
        ids = np.load(folder / f"patch_ids_{slide}.npy")
        _check_masks(path, len(ids), len(cat2idx) + 1)
        names += [f"{slide}_{patch_id}" for patch_id in ids]
    for archive, suffix in (("images.zip", "png"), ("masks_cell_ids_nuclei.zip", "npz")):
        with zipfile.ZipFile(folder / archive) as found:
            if found.namelist() != [f"{name}.{suffix}" for name in names]:
                raise InputError(
                    f"{folder / archive}: expected one entry per patch of patch_ids_*.npy, found others; export it again"
                )


def _write_dictionaries(folder: Path, grouping: Grouping) -> None:
    folder.mkdir()
    dictionaries: dict[str, dict[str, Any]] = {
        "label2cat": grouping.class_of_word,
        "cat2idx": {c.name: c.index - 1 for c in grouping.classes},
        "cat2color": {c.name: list(c.colour) for c in grouping.classes},
    }
    for name, values in dictionaries.items():
        (folder / f"{name}.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _patch_ids(source: PatchSource, slide: str) -> NDArray[np.int64]:
    rows = source.table[source.table["slide"] == slide]
    return np.asarray(rows["patch_id"].to_numpy(dtype=np.int64))


def _write_images(source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
    """Write the images and the maps of cell numbers, in one walk."""
    with (
        zip_writer(out / "images.zip") as images,
        zip_writer(out / "masks_cell_ids_nuclei.zip") as cells,
    ):
        for slide in source.slides:
            pack = partial(_entries, settings, source.cell_numbers(slide))
            pairs = source.each_of_slide(slide, pack, threads)
            for _, (image, cell_map) in progress(pairs, f"{slide} images", source.n_patches(slide)):
                images.append(image)
                cells.append(cell_map)


def _entries(
    settings: ExportSettings, cell_of: NDArray[np.uint32], patch: Patch
) -> tuple[Entry, Entry]:
    png = png_bytes(patch.image, settings.png_level)
    return packed(f"{patch.name}.png", png), cell_map_entry(patch, cell_of, settings.deflate_level)


def cell_map_entry(patch: Patch, cell_of: NDArray[np.uint32], level: int) -> Entry:
    """Return the cell number of every pixel as ``scipy.sparse.save_npz`` keeps a CSR matrix, ready to be written.

    ``cell_of`` holds the cell number of every nucleus; the index is the nucleus id.
    """
    csr = patch.sparse.mapped(np.append(np.uint32(0), cell_of[patch.nucleus_ids]))
    content = npz_bytes(
        {
            "indices": csr.indices,
            "indptr": csr.indptr,
            "format": np.array(b"csr"),
            "shape": np.array([patch.side_px] * 2, dtype=np.int64),
            "data": csr.data,
        }
    )
    return packed(f"{patch.name}.npz", content, level)


def _write_masks(
    source: PatchSource,
    classes: PatchClasses,
    slide: str,
    path: Path,
    settings: ExportSettings,
    threads: int,
) -> None:
    """Write a CSR matrix of one row per pixel, its parts one after the other, as ``scipy.sparse.load_npz`` reads it."""
    n_rows = source.n_patches(slide) * source.side_px**2
    n_values = _ENTRIES_PER_PIXEL * source.foreground_px(slide)
    index = np.int32 if max(n_rows + 1, n_values) <= _INT32_MAX else np.int64

    def stream(part: Callable[[Patch], NDArray[Any]]) -> Iterator[NDArray[Any]]:
        return (values for _, values in source.each_of_slide(slide, part, threads))

    with npz_writer(path, settings.deflate_level, threads) as arrays:
        arrays.add("indices", index, (n_values,), stream(partial(_columns, classes)))
        arrays.add("indptr", index, (n_rows + 1,), _row_pointers(stream(_drawn)))
        arrays.add("format", "|S3", (), [np.array([b"csr"])])
        arrays.add("shape", np.int64, (2,), [np.array([n_rows, len(classes.names) + 1])])
        arrays.add("data", np.int32, (n_values,), stream(partial(_values, classes)))


def _drawn(patch: Patch) -> NDArray[np.bool_]:
    return np.asarray(patch.dense.ravel() > 0)


def _instance_of_pixel(patch: Patch) -> NDArray[np.int32]:
    return patch.dense[patch.dense > 0] - 1


def _columns(classes: PatchClasses, patch: Patch) -> NDArray[np.int64]:
    category = classes.of(patch)[_instance_of_pixel(patch)].astype(np.int64) - 1
    return np.stack([category, np.full_like(category, len(classes.names))], axis=1).ravel()


def _values(classes: PatchClasses, patch: Patch) -> NDArray[np.int32]:
    instance = _instance_of_pixel(patch)
    class_of = classes.of(patch)
    pairs = [counters(class_of)[instance], class_of[instance].astype(np.int32)]
    return np.stack(pairs, axis=1).ravel()


def _row_pointers(drawn: Iterator[NDArray[np.bool_]]) -> Iterator[NDArray[np.int64]]:
    total = np.int64(0)
    yield np.zeros(1, dtype=np.int64)
    for pixels in drawn:
        ends = total + _ENTRIES_PER_PIXEL * np.cumsum(pixels, dtype=np.int64)
        total = ends[-1]
        yield ends


def _check_masks(path: Path, n_patches: int, n_columns: int) -> None:
    parts = stored_arrays(path)
    with np.load(path) as arrays:
        shape, matrix_format = arrays["shape"], arrays["format"].item()
    flaws = {
        "format": matrix_format != b"csr",
        "shape": shape[1] != n_columns or (n_patches and shape[0] % n_patches != 0),
        "indptr": parts["indptr"].shape != (shape[0] + 1,) or not _rises(parts["indptr"]),
        "indices": not _alternates(parts["indices"], n_columns),
        "data": not _within_classes(parts["data"], n_columns)
        or parts["data"].shape != parts["indices"].shape,
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


def _alternates(columns: StoredArray, n_columns: int) -> bool:
    return all(
        (chunk[::2] < n_columns - 1).all() and (chunk[1::2] == n_columns - 1).all()
        for chunk in columns.chunks(_CHUNK)
    )


def _within_classes(values: StoredArray, n_columns: int) -> bool:
    return all(
        (chunk > 0).all() and (chunk[1::2] < n_columns).all() for chunk in values.chunks(_CHUNK)
    )
