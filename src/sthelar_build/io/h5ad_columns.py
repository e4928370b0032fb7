"""Columns of ``obs`` and ``var`` of an h5ad file, in any of the encodings that anndata has had."""

from __future__ import annotations

from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

_MISSING = ("", "nan", "NaN", "None", "<NA>", "NA")
"""What a missing value becomes once a column has been written as text."""
Words = NDArray[np.object_]
"""str, or None where a value is missing."""
INDEX = "index"
"""Name that the index goes by here, whatever the file calls it."""


def column_names(frame: Any) -> list[str]:
    """Return the columns of ``obs`` or ``var``, without the index and anndata's own."""
    names = frame.dtype.names if isinstance(frame, h5py.Dataset) else frame
    return [name for name in names if name not in ("__categories", _index_of(frame))]


def n_rows(frame: Any) -> int:
    """Return the number of rows of ``obs`` or ``var``; nothing is read."""
    if isinstance(frame, h5py.Dataset):
        return len(frame)
    index = frame[_index_of(frame)]
    return len(index["values"] if isinstance(index, h5py.Group) else index)


def read_codes(file: h5py.File, frame: Any, name: str) -> tuple[NDArray[np.int32], list[str]]:
    """Return the number of every row's word, and the words that occur, sorted.

    A missing value, an empty word and what a missing value becomes in text (``nan``) have the number -1.
    """
    stored, words = _categorical(file, frame, name)
    if stored is None:
        stored, found = pd.factorize(_words(frame, name))
        words = list(found)
    # A code of -1 takes the last entry.
    meant = pd.Series([*words, None], dtype=object)
    meant = meant.mask(meant.isin(_MISSING), None)
    shared, names = pd.factorize(meant)
    used = np.unique(shared[stored])
    order = sorted((str(names[code]), code) for code in used if code >= 0)
    rank = np.full(len(names) + 1, -1, dtype=np.int32)
    rank[[code for _, code in order]] = np.arange(len(order), dtype=np.int32)
    return rank[shared][stored], [name for name, _ in order]


def text_columns(file: h5py.File, frame: Any) -> dict[str, list[str]]:
    """Return the index (as ``index``) and every column of text; what is missing is empty."""
    columns = {INDEX: _filled(_words(frame, _index_of(frame)))}
    for name in column_names(frame):
        codes, words = _categorical(file, frame, name)
        if codes is not None:
            columns[name] = _filled(np.array([*words, None], dtype=object)[codes])
        elif _is_text(frame, name):
            columns[name] = _filled(_words(frame, name))
    return columns


def _index_of(frame: Any) -> str:
    if isinstance(frame, h5py.Dataset):
        return "index" if "index" in frame.dtype.names else str(frame.dtype.names[0])
    return str(frame.attrs.get("_index", "_index"))


def _filled(words: Words) -> list[str]:
    return ["" if word is None else word for word in words]


def _categorical(
    file: h5py.File, frame: Any, name: str
) -> tuple[NDArray[np.integer] | None, list[str | None]]:
    """Return the codes and categories of a categorical column; no codes for another one."""
    if isinstance(frame, h5py.Dataset):
        words = file.get(f"uns/{name}_categories")
    elif isinstance(frame[name], h5py.Group):
        if "categories" not in frame[name]:
            return None, []
        categories = np.asarray(anndata.io.read_elem(frame[name]["categories"]), dtype=object)
        return np.asarray(frame[name]["codes"][()]), _texts(categories)
    else:
        words = frame["__categories"].get(name) if "__categories" in frame else None
    if words is None:
        return None, []
    return np.asarray(frame[name][()]), _texts(words[()])


def _is_text(frame: Any, name: str) -> bool:
    if isinstance(frame, h5py.Dataset):
        return bool(frame.dtype[name].kind in "SOU")
    if isinstance(frame[name], h5py.Group):
        return str(frame[name].attrs.get("encoding-type", "")).endswith("string-array")
    return bool(h5py.check_string_dtype(frame[name].dtype) or frame[name].dtype.kind == "S")


def _words(frame: Any, name: str) -> Words:
    if not isinstance(frame, h5py.Dataset) and isinstance(frame[name], h5py.Group):
        values = np.asarray(anndata.io.read_elem(frame[name]), dtype=object)
    else:
        values = np.asarray(frame[name][()])
    return np.array([*_texts(values), None], dtype=object)[:-1]


def _texts(values: Any) -> list[str | None]:
    return [_text(value) for value in np.asarray(values).tolist()]


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return None if value is None or value is pd.NA else str(value)
