"""Which matrix of an h5ad file holds expression that can be used."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sthelar_build.core.atlas.scale import Scale, scale_of
from sthelar_build.errors import InputError
from sthelar_build.io.h5ad_columns import n_rows
from sthelar_build.io.h5ad_values import StoredMatrix

logger = logging.getLogger(__name__)

RAW = "raw.X"
_RAW_PLACES = (("raw/X", "raw/var"), ("raw.X", "raw.var"))
"""Matrix and genes of it; the second as anndata wrote them before 0.7."""
_LAYERS_OF_COUNTS = ("counts", "raw_counts", "raw", "count", "umi", "umis")
_LOOKED_AT = 200
"""Rows, evenly over the file, that tell the scale of a matrix."""


@dataclass(frozen=True, eq=False)
class Source:
    """A matrix, its genes, and what it holds."""

    name: str
    """X, raw.X, or layers/..."""
    matrix: StoredMatrix
    """The matrix."""
    var: Any
    """The frame of its genes."""
    scale: Scale
    """What its values are."""


def usable_source(path: Path, file: h5py.File, layer: str = "") -> Source:
    """Return the matrix to read: the layer that was named (``raw.X`` is one), else X.

    Where X is scaled, empty, broken or absent, or its scale can only be guessed, raw.X or a layer that is named as
    counts are takes its place if that one's is plain. InputError if the layer is not there, a matrix is damaged, or nothing is of use.
    """
    names = [_named(path, file, layer)] if layer else _by_preference(file)
    passed: list[Source] = []
    for name in names:
        source = _source(path, file, name)
        if source.scale.is_usable and not source.scale.is_guessed:
            return _chosen(source, passed)
        passed.append(source)
    for source in passed:
        if source.scale.is_usable:
            return _chosen(source, [other for other in passed if other is not source])
    raise InputError(
        f"{path}: expected counts or normalised values, found {_in_words(passed) or 'no matrix'}; "
        f"name another layer in the sheet of references (the file has {', '.join(_all(file)) or 'none'})"
    )


def _chosen(source: Source, others: list[Source]) -> Source:
    instead = f" ({_in_words(others)})" if others else ""
    logger.info("reference: %s holds %s%s", source.name, source.scale.in_words, instead)
    return source


def _in_words(sources: list[Source]) -> str:
    return "; ".join(f"{source.name} holds {source.scale.in_words}" for source in sources)


def _named(path: Path, file: h5py.File, layer: str) -> str:
    if layer in _layers(file):
        return f"layers/{layer}"
    if layer == "X" and "X" in file:
        return "X"
    if layer in ("raw", RAW, "raw/X") and _raw_place(file):
        return RAW
    raise InputError(
        f"{path}: expected the layer {layer!r}, found {', '.join(_all(file)) or 'no layer'}; "
        "correct layer in the sheet of references"
    )


def _by_preference(file: h5py.File) -> list[str]:
    counts = [name for name in _layers(file) if name.casefold() in _LAYERS_OF_COUNTS]
    return [
        *(["X"] if "X" in file else []),
        *([RAW] if _raw_place(file) else []),
        *(f"layers/{name}" for name in counts),
    ]


def _all(file: h5py.File) -> list[str]:
    return [*_layers(file), *([RAW] if _raw_place(file) else [])]


def _layers(file: h5py.File) -> list[str]:
    return sorted(file["layers"]) if "layers" in file else []


def _raw_place(file: h5py.File) -> tuple[str, str] | None:
    return next((place for place in _RAW_PLACES if place[0] in file), None)


def _source(path: Path, file: h5py.File, name: str) -> Source:
    place = _raw_place(file) if name == RAW else None
    matrix_name, var_name = place or (name, "var")
    matrix = StoredMatrix(file[matrix_name])
    if not matrix.is_whole():
        raise InputError(
            f"{path}: expected a whole matrix in {name}, found a damaged one; make or download it again"
        )
    _check_shape(path, name, matrix, (n_rows(file["obs"]), n_rows(file[var_name])))
    return Source(name, matrix, file[var_name], _scale(matrix))


def _check_shape(path: Path, name: str, matrix: StoredMatrix, expected: tuple[int, int]) -> None:
    """Refuse a matrix of another shape before anything is made by what it says of itself."""
    if matrix.shape != expected:
        raise InputError(
            f"{path}: expected {expected[0]} cells and {expected[1]} genes in {name}, as in obs and var, "
            f"found {matrix.shape[0]} and {matrix.shape[1]}; make or download it again"
        )


def _scale(matrix: StoredMatrix) -> Scale:
    n_rows, n_columns = matrix.shape
    rows = np.unique(np.linspace(0, max(n_rows - 1, 0), min(_LOOKED_AT, n_rows)).astype(np.intp))
    if matrix.form == "csc":
        # Whole rows of a matrix stored by column cost a pass over all of it: counts are told by some columns.
        some = np.unique(np.linspace(0, n_columns - 1, min(_LOOKED_AT, n_columns)).astype(np.intp))
        scale = scale_of(matrix.part(np.arange(n_rows), some))
        if scale.kind in ("raw", "scaled", "broken"):
            return scale
    return scale_of(matrix.part(rows, np.arange(n_columns)))
