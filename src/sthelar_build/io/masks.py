"""The folder ``masks_{scale}/``: an instance map for every patch of the grid, and what is visible in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sthelar_build.io.map_chunks import MapChunks
from sthelar_build.io.provenance import Provenance
from sthelar_build.io.records import MANIFEST, read_record, write_record
from sthelar_build.io.tables import check_table, read_table, table_writer
from sthelar_build.schema.tables import INSTANCES

ARRAY = "instances.zarr"
TABLE = "instances.parquet"

_KEYS = ("side_px", "n_patches", "um_per_px")


@dataclass(frozen=True)
class Masks:
    """The masks of one slide at one scale, read on demand."""

    folder: Path
    manifest: dict[str, Any]
    """``side_px``, ``n_patches``, ``um_per_px``, counts, and the provenance."""
    chunks: MapChunks
    """The maps on disk."""

    @property
    def n_patches(self) -> int:
        """Number of patches of the grid, incomplete ones included."""
        return int(self.manifest["n_patches"])

    @property
    def columns(self) -> int:
        """Columns of the grid."""
        return int(self.chunks.array.shape[1])

    @property
    def together(self) -> int:
        """So many neighbours of a row, from a multiple of this number on, are read at once."""
        return self.chunks.columns

    @property
    def side_px(self) -> int:
        """Side of a patch, in pixels of the scale."""
        return int(self.manifest["side_px"])

    @cached_property
    def table(self) -> pd.DataFrame:
        """The whole ``instances.parquet``, by patch and nucleus."""
        return self._rows(None)

    def table_between(self, start: int, stop: int) -> pd.DataFrame:
        """Return the rows of the patches ``start`` to ``stop - 1``; reads only their part of the file."""
        return self._rows([("patch_id", ">=", start), ("patch_id", "<", stop)])

    def instances(self, patch_id: int) -> NDArray[np.uint32]:
        """Return the instance map of one patch (side, side): 0 is background, else the nucleus id."""
        return self.instances_between(patch_id, patch_id + 1).reshape(self.side_px, self.side_px)

    def instances_between(self, start: int, stop: int) -> NDArray[np.uint32]:
        """Return the maps of the patches ``start`` to ``stop - 1``: (stop - start, side, side)."""
        # Ids of tables are unsigned, and do not take a minus.
        pieces = list(self.chunks.between(int(start), int(stop)))
        return pieces[0] if len(pieces) == 1 else np.concatenate([self._none, *pieces])

    def each_between(self, start: int, stop: int) -> Iterator[NDArray[np.uint32]]:
        """Yield the maps of the patches ``start`` to ``stop - 1``, one after the other; neighbours are read together."""
        for piece in self.chunks.between(start, stop):
            yield from piece

    @property
    def _none(self) -> NDArray[np.uint32]:
        return np.empty((0, self.side_px, self.side_px), dtype=np.uint32)

    def _rows(self, filters: Any) -> pd.DataFrame:
        frame: pd.DataFrame = pq.read_table(self.folder / TABLE, filters=filters).to_pandas()
        return frame


def open_masks(folder: Path) -> Masks:
    """Open a folder of masks; InputError if it is not whole."""
    manifest = read_record(folder / MANIFEST, _KEYS)
    check_table(folder / TABLE, INSTANCES)
    size = int(manifest["n_patches"]), int(manifest["side_px"])
    return Masks(folder, manifest, MapChunks.of_grid(folder / ARRAY, *size, "rasterise"))


class ShownNuclei(Mapping[str, pd.DataFrame]):
    """``patch_id``, ``nucleus_id`` by slide, read when asked: all slides at once may not fit in memory."""

    def __init__(self, manifests: Mapping[str, Path]) -> None:
        """Take the manifest of the masks of every slide."""
        self._tables = {slide: path.parent / TABLE for slide, path in manifests.items()}

    def __getitem__(self, slide: str) -> pd.DataFrame:
        return read_table(self._tables[slide], INSTANCES, ["patch_id", "nucleus_id"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class MasksWriter:
    """Writes the maps row of the grid by row of the grid; rows of the grid may come from several threads.

    Neighbours in a grid row are compressed together. The table must come in order.
    """

    def __init__(
        self, folder: Path, rows: int, columns: int, side_px: int, source: Provenance
    ) -> None:
        folder.mkdir()
        self._folder, self._source = folder, source
        self._facts = {"side_px": side_px, "n_patches": rows * columns}
        self._chunks = MapChunks.create(folder / ARRAY, rows, columns, side_px)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._table = self._open.enter_context(
            table_writer(self._folder / TABLE, INSTANCES, self._source)
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, traceback)

    def write_maps(self, grid_row: int, maps: NDArray[np.uint32]) -> None:
        """Write the first ``len(maps)`` patches of a grid row; the others stay background."""
        self._chunks.write_row(grid_row, maps)

    def write_table(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Append rows to the table: its columns, by name."""
        arrays = [pa.array(columns[name], INSTANCES.field(name).type) for name in INSTANCES.names]
        self._table.write_table(pa.table(arrays, schema=self._table.schema))

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write the manifest, which declares the folder whole."""
        self._open.close()
        write_record(self._folder / MANIFEST, {**self._facts, **facts}, self._source)
