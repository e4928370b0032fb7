"""Predictions in the making: rows of the grid that are finished outlive a kill, and are put together at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sthelar_build.core.predicted_maps import PredictedPatch
from sthelar_build.io.gathering import gather_files, gather_tables
from sthelar_build.io.map_chunks import MapChunks
from sthelar_build.io.predictions import ARRAY, NUCLEI_TABLE, PATCHES_TABLE
from sthelar_build.io.provenance import Provenance
from sthelar_build.io.records import MANIFEST, write_record
from sthelar_build.io.tables import table_writer
from sthelar_build.schema.tables import PREDICTED_NUCLEI, PREDICTED_PATCHES
from sthelar_build.schema.words import NO_TISSUE, NOT_RUN, OUTSIDE

_REASONS = (OUTSIDE, NO_TISSUE, NOT_RUN)
_SCHEMAS = {NUCLEI_TABLE: PREDICTED_NUCLEI, PATCHES_TABLE: PREDICTED_PATCHES}


class WrittenBlock(NamedTuple):
    """What the tables say of a block whose maps are written."""

    grid_row: int
    nuclei: dict[str, Any]
    """Columns of PREDICTED_NUCLEI."""
    patches: dict[int, tuple[int, int]]
    """Patch id -> number of nuclei, and of pixels that are called nucleus."""


class PredictionRows:
    """A folder of rows of the grid; blocks of them may be written by several threads."""

    def __init__(self, folder: Path, shape: tuple[int, int, int], source: Provenance) -> None:
        """Open a folder, or begin it; ``shape`` is rows and columns of the grid, and the side of a patch in px."""
        self._folder, self._shape, self._source = folder, shape, source
        (folder / "rows").mkdir(exist_ok=True)
        if not (folder / ARRAY).exists():
            draft = folder / f"{ARRAY}.part"
            shutil.rmtree(draft, ignore_errors=True)
            MapChunks.create(draft, *shape)
            draft.rename(folder / ARRAY)
        self._chunks = MapChunks.open(folder / ARRAY)

    @property
    def together(self) -> int:
        """Patches of a block: so many neighbours are written together."""
        return self._chunks.columns

    def is_finished(self, grid_row: int) -> bool:
        """Whether all of a row is there."""
        return self._path(PATCHES_TABLE, grid_row).exists()

    def write_block(
        self, grid_row: int, chunk: int, found: Sequence[PredictedPatch]
    ) -> WrittenBlock:
        """Write the maps of the patches of a block, all at once; those that are left out stay zero."""
        columns, side_px = self._shape[1:]
        first = grid_row * columns + chunk * self.together
        maps = np.zeros((self.together, side_px, side_px), dtype=np.uint32)
        for patch in found:
            maps[patch.patch_id - first] = patch.instances
        path = self._chunks.write(grid_row, chunk, maps)
        if path:
            _to_disk(path)
        counts = {patch.patch_id: (len(patch.nuclei.ids), patch.nucleus_px) for patch in found}
        return WrittenBlock(grid_row, _nuclei_columns(found), counts)

    def finish_row(
        self, grid_row: int, blocks: Sequence[WrittenBlock], reasons: Mapping[int, str | None]
    ) -> None:
        """Write the tables of a row, all of whose blocks are written, left to right; now it is finished.

        ``reasons`` says of every patch of the row why it was not segmented; None if it was.
        """
        nuclei = {
            name: pa.concat_arrays([block.nuclei[name] for block in blocks] or [pa.array([], kind)])
            for name, kind in zip(PREDICTED_NUCLEI.names, PREDICTED_NUCLEI.types, strict=True)
        }
        counts: dict[int, tuple[int, int]] = {}
        for block in blocks:
            counts.update(block.patches)
        each = np.array([counts.get(patch_id, (0, 0)) for patch_id in reasons]).reshape(-1, 2)
        patches = {
            "patch_id": pa.array(list(reasons), pa.uint32()),
            "n_nuclei": pa.array(each[:, 0], pa.uint32()),
            "nucleus_px": pa.array(each[:, 1], pa.uint32()),
            "reason": pa.array(list(reasons.values()), pa.string()),
        }
        self._write(NUCLEI_TABLE, grid_row, nuclei)
        self._write(PATCHES_TABLE, grid_row, patches)

    def assemble(self, grid_rows: range, folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Make the folder of predictions of some rows, all of them finished; return its counts.

        ``facts``, the counts and the provenance are its manifest.
        """
        folder.mkdir()
        gather_files([self._folder / ARRAY], folder / ARRAY)
        for name, schema in _SCHEMAS.items():
            with table_writer(folder / name, schema, self._source) as writer:
                gather_tables([self._path(name, row) for row in grid_rows], writer)
        counts = _counted(folder, (facts["network"] or {}).get("nuclei_types"))
        write_record(folder / MANIFEST, {**facts, **counts}, self._source)
        return counts

    def _write(self, name: str, grid_row: int, columns: Mapping[str, pa.Array]) -> None:
        path = self._path(name, grid_row)
        draft = path.with_suffix(".part")
        with table_writer(draft, _SCHEMAS[name], self._source) as writer:
            writer.write_table(pa.table(dict(columns), schema=writer.schema))
        _to_disk(draft)
        draft.rename(path)

    def _path(self, name: str, grid_row: int) -> Path:
        return self._folder / "rows" / f"{grid_row:06}.{name}"


def _to_disk(path: Path) -> None:
    """Wait until a file is on disk: a row must not count as finished where a machine goes down before it is."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _nuclei_columns(found: Sequence[PredictedPatch]) -> dict[str, pa.Array]:
    """Return the columns of PREDICTED_NUCLEI, the patches one after the other."""
    nuclei = [patch.nuclei for patch in found]
    values: dict[str, list[NDArray[Any] | None]] = {
        "patch_id": [np.full(len(patch.nuclei.ids), patch.patch_id) for patch in found],
        "instance_id": [one.ids for one in nuclei],
        "type_index": [one.type_index for one in nuclei],
        "type_prob": [one.type_prob for one in nuclei],
        **{
            name: [one.centroid_px[:, place] for one in nuclei]
            for place, name in enumerate(("x_px", "y_px"))
        },
        **{
            name: [one.bbox[:, place] for one in nuclei]
            for place, name in enumerate(("top_px", "left_px", "bottom_px", "right_px"))
        },
    }
    lengths = [len(one.ids) for one in nuclei]
    return {
        name: _column(values[name], lengths, PREDICTED_NUCLEI.field(name).type)
        for name in PREDICTED_NUCLEI.names
    }


def _column(
    values: Sequence[NDArray[Any] | None], lengths: Sequence[int], kind: pa.DataType
) -> pa.Array:
    """Return one column from the arrays of all patches; null where a patch has none."""
    parts = [
        pa.nulls(n, kind) if part is None else pa.array(part, kind)
        for part, n in zip(values, lengths, strict=True)
    ]
    return pa.concat_arrays(parts or [pa.array([], kind)])


def _counted(folder: Path, types: Mapping[str, int] | None) -> dict[str, Any]:
    """Return what the manifest counts, read off the tables."""
    patches = pd.read_parquet(folder / PATCHES_TABLE, columns=["n_nuclei", "reason"])
    left_out = patches["reason"].value_counts()
    return {
        "n_segmented": int(patches["reason"].isna().sum()),
        "not_segmented": {reason: int(left_out.get(reason, 0)) for reason in _REASONS},
        "n_nuclei": int(patches["n_nuclei"].sum()),
        "nuclei_per_type": None if types is None else _per_type(folder / NUCLEI_TABLE, types),
    }


def _per_type(nuclei: Path, types: Mapping[str, int]) -> dict[str, int]:
    found = pd.read_parquet(nuclei, columns=["type_index"])["type_index"].value_counts()
    return {name: int(found.get(index, 0)) for name, index in types.items()}
