"""Reference atlases (h5ad): mean expression of every label on the genes of a panel.

Only the needed elements are read, block by block: the atlas never stands in memory, and what a newer
anndata cannot open elsewhere in the file does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.normalise import group_sums
from sthelar_build.errors import InputError

_BLOCK_ROWS = 10_000
_SAMPLE_ROWS = 500
_LARGEST_LOG = 30.0
_ID_COLUMNS = ("gene_id", "gene_ids", "ensembl_id", "ensembl", "feature_id")


@dataclass(frozen=True)
class Reference:
    """What the atlas says about the genes that it shares with the panel."""

    labels: list[str]
    """Fine labels, sorted."""
    profiles: NDArray[np.float64]
    """(labels, shared genes): mean linear expression, every row summing to 1."""
    gene_columns: NDArray[np.intp]
    """Column of every shared gene in the panel."""
    cells_per_label: NDArray[np.int64]
    """Cells of the whole atlas with each label."""
    cells_used: int
    """Cells that went into the profiles."""
    scale: str
    """What the matrix holds: raw, normalised, or logged."""


def read_reference(
    path: Path,
    label_key: str,
    symbols: Sequence[str],
    gene_ids: Sequence[str],
    *,
    layer: str = "",
    cells_per_label: int = 1000,
    seed: int = 0,
) -> Reference:
    """Read label profiles from at most ``cells_per_label`` random cells of every label.

    A gene of the panel is found by its Ensembl id (version dropped) where the atlas has ids, else by its
    symbol (case ignored). Log-transformed atlases are taken back to the linear scale.
    InputError if the file, the label column or the layer is not there, or values are negative.
    """
    try:
        with h5py.File(path) as file:
            labels = _labels(path, file, label_key)
            atlas_genes = _gene_rows(file["var"])
            matrix = _matrix(path, file, layer)
            columns, atlas_columns = match_genes(symbols, gene_ids, atlas_genes)
            return _profiles(path, matrix, labels, columns, atlas_columns, cells_per_label, seed)
    except (OSError, KeyError) as error:
        raise InputError(
            f"{path}: expected an h5ad file with obs, var and a matrix, found a broken or other one; "
            "make or download it again"
        ) from error


def match_genes(
    symbols: Sequence[str], gene_ids: Sequence[str], atlas: dict[str, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the columns of panel and atlas that hold the same gene; ids go before symbols."""
    pairs = []
    for column, (symbol, gene_id) in enumerate(zip(symbols, gene_ids, strict=True)):
        found = atlas.get(_gene_key(gene_id), atlas.get(_gene_key(symbol), -1))
        if found >= 0:
            pairs.append((column, found))
    matched = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return matched[:, 0], matched[:, 1]


def _gene_key(name: str) -> str:
    name = str(name).strip().upper()
    return name.partition(".")[0] if name.startswith("ENS") else name


def _labels(path: Path, file: h5py.File, label_key: str) -> pd.Series:
    obs = file["obs"]
    columns = list(obs.dtype.names if isinstance(obs, h5py.Dataset) else obs)
    if label_key not in columns:
        shown = ", ".join(sorted(name for name in columns if not name.startswith("_")))
        raise InputError(
            f"{path}: expected the obs column {label_key!r} with the cell-type labels, found {shown}; "
            "correct label_key in the sheet of references"
        )
    return _column(file, obs, label_key)


def _column(file: h5py.File, obs: Any, name: str) -> pd.Series:
    """Read one column of obs, in any of the encodings that anndata has had."""
    categories: Any = None
    if isinstance(obs, h5py.Dataset):
        categories = file.get(f"uns/{name}_categories")
    elif isinstance(obs[name], h5py.Group):
        return pd.Series(np.asarray(anndata.io.read_elem(obs[name]), dtype=object))
    elif "__categories" in obs and name in obs["__categories"]:
        categories = obs["__categories"][name]
    values = np.asarray(obs[name][()])
    if categories is None:
        return pd.Series([_text(value) for value in values], dtype=object)
    words = np.array([*(_text(word) for word in categories[()]), None], dtype=object)
    return pd.Series(words[values])


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _gene_rows(var: Any) -> dict[str, int]:
    """Return the column of every gene by symbol and by id; the first of equal names counts."""
    if isinstance(var, h5py.Dataset):
        names = [var[name] for name in var.dtype.names if name in ("index", *_ID_COLUMNS)]
    else:
        index = var.attrs.get("_index", "_index")
        wanted = [index, *(name for name in _ID_COLUMNS if name in var and name != index)]
        names = [np.asarray(anndata.io.read_elem(var[name]), dtype=object) for name in wanted]
    rows: dict[str, int] = {}
    for column in names:
        for row, name in enumerate(column):
            rows.setdefault(_gene_key(_text(name)), row)
    return rows


def _matrix(path: Path, file: h5py.File, layer: str) -> Any:
    layers = sorted(file["layers"]) if "layers" in file else []
    if layer and layer not in layers:
        raise InputError(
            f"{path}: expected the layer {layer!r}, found {', '.join(layers) or 'no layer'}; "
            "correct layer in the sheet of references"
        )
    element = file[f"layers/{layer}"] if layer else file["X"]
    return element if isinstance(element, h5py.Dataset) else anndata.io.sparse_dataset(element)


def _profiles(
    path: Path,
    matrix: Any,
    labels: pd.Series,
    columns: NDArray[np.intp],
    atlas_columns: NDArray[np.intp],
    cells_per_label: int,
    seed: int,
) -> Reference:
    codes, names = pd.factorize(labels, sort=True)
    chosen = _stratified(codes, cells_per_label, seed)
    scale = _scale(path, matrix)
    sums = np.zeros((len(names), len(columns)))
    for first in range(0, len(codes), _BLOCK_ROWS):
        rows = chosen[(chosen >= first) & (chosen < first + _BLOCK_ROWS)]
        if len(rows):
            block = _linear(matrix, rows, atlas_columns, scale)
            sums += group_sums(block, codes[rows], len(names))
    totals = sums.sum(axis=1, keepdims=True)
    return Reference(
        labels=[str(name) for name in names],
        profiles=np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0),
        gene_columns=columns,
        cells_per_label=np.bincount(codes[codes >= 0], minlength=len(names)),
        cells_used=len(chosen),
        scale=scale,
    )


def _stratified(codes: NDArray[np.intp], per_group: int, seed: int) -> NDArray[np.intp]:
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(np.flatnonzero(codes >= 0))
    rank = pd.Series(codes[shuffled]).groupby(codes[shuffled]).cumcount().to_numpy()
    return np.asarray(np.sort(shuffled[rank < per_group]))


def _scale(path: Path, matrix: Any) -> str:
    sample = matrix[: min(_SAMPLE_ROWS, matrix.shape[0])]
    values = sample.data if sp.issparse(sample) else np.asarray(sample)
    if values.size == 0 or not values.any():
        raise InputError(f"{path}: expected counts in the matrix, found only zeros; name a layer")
    if values.min() < 0:
        raise InputError(
            f"{path}: expected raw or normalised counts, found negative values (scaled data); "
            "name a layer of counts in the sheet of references"
        )
    if np.array_equal(values, np.round(values)):
        return "raw"
    return "logged" if values.max() < _LARGEST_LOG else "normalised"


def _linear(
    matrix: Any, rows: NDArray[np.intp], columns: NDArray[np.intp], scale: str
) -> sp.csr_matrix:
    block = matrix[int(rows[0]) : int(rows[-1]) + 1]
    block = sp.csr_matrix(block)[rows - rows[0]][:, columns].astype(np.float64)
    if scale == "logged":
        np.expm1(block.data, out=block.data)
    return block
