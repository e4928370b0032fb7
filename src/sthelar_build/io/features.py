"""The table of image features of a slide's nuclei: filled row by row in any order, written whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import zarr
from anndata import AnnData
from numpy.typing import NDArray

from sthelar_build.io.counts import read_h5ad
from sthelar_build.io.provenance import KEY, Provenance, provenance_json

Floats = NDArray[np.float32]
_BLOCK_BYTES = 2**24
_CHUNK_BYTES = 2**20
_CHUNKS_PER_SHARD = 32
_ENCODING = {"encoding-type": "array", "encoding-version": "0.2.0"}
"""How anndata says what an array is."""


@dataclass(frozen=True)
class FeatureRows:
    """A plain file of float32 (n, d) that need not fit in memory; rows that were never written are zero."""

    path: Path
    shape: tuple[int, int]

    @classmethod
    def create(cls, path: Path, n: int, d: int) -> FeatureRows:
        """Make the file, empty: it takes no room until it is written to."""
        path.touch()
        os.truncate(path, n * d * 4)
        return cls(path, (n, d))

    @property
    def blocks(self) -> list[slice]:
        """Consecutive rows, about 16 MiB at a time."""
        step = max(1, _BLOCK_BYTES // (4 * self.shape[1]))
        return [slice(i, min(i + step, self.shape[0])) for i in range(0, self.shape[0], step)]

    def write(self, rows: NDArray[np.integer], features: Floats) -> None:
        """Write the features (m, d) of the rows of these numbers (m,)."""
        ordered = np.argsort(rows)
        values = np.ascontiguousarray(features[ordered], dtype="<f4")
        starts = np.flatnonzero(np.diff(rows[ordered], prepend=-2) != 1)
        with self.path.open("r+b") as file:
            for start, stop in pairwise([*starts, len(rows)]):
                file.seek(int(rows[ordered[start]]) * self.shape[1] * 4)
                file.write(values[start:stop].tobytes())

    def read(self, rows: slice) -> Floats:
        """Return consecutive rows."""
        d = self.shape[1]
        count = (rows.stop - rows.start) * d
        values = np.fromfile(self.path, dtype="<f4", count=count, offset=rows.start * d * 4)
        return values.reshape(-1, d)


def write_features(
    path: Path,
    rows: FeatureRows,
    seen: NDArray[np.bool_],
    obs: pd.DataFrame,
    facts: dict[str, Any],
    source: Provenance,
) -> None:
    """Write an h5ad file whose ``X`` is copied block by block.

    Parameters
    ----------
    rows
        Features of the objects that were seen, in the order of ``obs``.
    seen
        (n,): which of the objects those are; the others are NaN in ``X``.
    facts
        Goes to ``uns``.
    """
    d = rows.shape[1]
    var = pd.DataFrame(index=[str(number) for number in range(d)])
    table = AnnData(obs=obs, var=var, uns={**facts, KEY: provenance_json(source)})
    table.write_h5ad(path, compression="gzip", convert_strings_to_categoricals=False)
    with h5py.File(path, "r+") as file:
        if "X" in file:
            del file["X"]
        _write_matrix(file, rows, seen)


def _write_matrix(file: h5py.File, rows: FeatureRows, seen: NDArray[np.bool_]) -> None:
    n, d = len(seen), rows.shape[1]
    step = max(1, _CHUNK_BYTES // (4 * d))
    # Shuffled bytes take a seventh less, and whatever reads h5ad reads gzip.
    values = file.create_dataset(
        "X",
        (n, d),
        "<f4",
        chunks=(max(1, min(n, step)), d),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    values.attrs.update(_ENCODING)
    rank = np.concatenate([[0], np.cumsum(seen)])
    for start in range(0, n, step):
        stop = min(start + step, n)
        block = np.full((stop - start, d), np.nan, dtype=np.float32)
        block[seen[start:stop]] = rows.read(slice(int(rank[start]), int(rank[stop])))
        values[start:stop] = block


def read_described(path: Path) -> AnnData:
    """Return a table of features without its ``X``."""
    table = read_h5ad(path, backed=True)
    try:
        return AnnData(obs=table.obs, var=table.var, uns=dict(table.uns))
    finally:
        table.file.close()


def copy_matrix(path: Path, group: Path) -> None:
    """Copy the ``X`` of a table of features into the zarr group of the same table, shard by shard."""
    with h5py.File(path, "r") as file:
        source = file["X"]
        n, d = source.shape
        rows = max(1, _CHUNK_BYTES // (4 * d))
        shard = rows * _CHUNKS_PER_SHARD if n > rows else rows
        target = zarr.open_group(group, mode="r+").create_array(
            "X",
            shape=(n, d),
            dtype="float32",
            chunks=(rows, d),
            shards=(shard, d),
            attributes=_ENCODING,
            overwrite=True,
        )
        for start in range(0, n, shard):
            target[start : start + shard] = source[start : start + shard]
