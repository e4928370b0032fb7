"""Six cells of an atlas, and every way in which an h5ad file may hold them."""

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

COUNTS = np.array(
    [[3, 1, 0, 0], [6, 2, 0, 1], [0, 0, 5, 5], [0, 0, 1, 1], [9, 3, 0, 2], [0, 1, 4, 0]],
    dtype=np.float32,
)
TYPES = ["T", "T", "B", "B", "T", "B"]
SYMBOLS = ["CD3D", "CD3E", "MS4A1", "EXTRA"]
IDS = ["ENSG01.4", "ENSG02.1", "ENSG03.11", "ENSG04.2"]


def table(matrix=None, types=TYPES, symbols=SYMBOLS, **columns):
    """Return the atlas with another matrix, other labels, or further columns of var."""
    matrix = sp.csr_matrix(COUNTS) if matrix is None else matrix
    return anndata.AnnData(
        matrix,
        obs=pd.DataFrame({"ct": pd.Categorical(types)}, index=list("abcdef")),
        var=pd.DataFrame(columns, index=symbols),
    )


def write(folder, found=None):
    """Write the atlas as anndata does; return the path."""
    path = folder / "atlas.h5ad"
    (table() if found is None else found).write_h5ad(path)
    return path


def logged(counts=COUNTS, total=1e4):
    """Return log(1 + x) of the counts, brought to a sum per cell."""
    return np.log1p(total * counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)


def write_legacy(folder):
    """Write the atlas as anndata did before 0.7: obs and var are compound datasets, categories lie in uns."""
    path = folder / "legacy.h5ad"
    matrix = sp.csr_matrix(COUNTS)
    codes = np.array([1, 1, 0, 0, 1, 0], dtype=np.int8)
    with h5py.File(path, "w") as file:
        file["obs"] = np.array(
            list(zip(list("abcdef"), codes, strict=True)), dtype=[("index", "S1"), ("ct", "i1")]
        )
        file["var"] = np.array(
            [(name.encode(), number.encode()) for name, number in zip(SYMBOLS, IDS, strict=True)],
            dtype=[("index", "S8"), ("gene_ids", "S12")],
        )
        file["uns/ct_categories"] = np.array([b"B", b"T"])
        _write_sparse(file, "X", matrix)
    return path


def add_legacy_raw(path):
    """Move the counts to ``raw.X``, as anndata wrote it before 0.7, and scale X."""
    with h5py.File(path, "r+") as file:
        file.move("X", "raw.X")
        file["raw.var"] = file["var"][()]
        file["X"] = COUNTS - COUNTS.mean(axis=0)


def with_old_categories(path):
    """Rewrite the labels as anndata 0.7 did: codes in the column, words in ``__categories``."""
    with h5py.File(path, "r+") as file:
        codes, words = file["obs/ct/codes"][()], file["obs/ct/categories"][()]
        del file["obs/ct"]
        file["obs/ct"] = codes
        file["obs/__categories/ct"] = words


def _write_sparse(file, name, matrix):
    group = file.create_group(name)
    group.attrs["h5sparse_format"] = matrix.format
    group.attrs["h5sparse_shape"] = np.array(matrix.shape)
    for part in ("data", "indices", "indptr"):
        group[part] = getattr(matrix, part)
