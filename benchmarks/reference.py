"""Seconds and peak memory of reading a reference atlas, as large as they come, made here cell block by cell block.

The reader runs in a process of its own; its peak has the libraries in it. Beside it stands what the whole matrix
alone would take in memory. The default file needs 2.4 GB of disk below --folder, and is deleted again.

    python benchmarks/reference.py --folder /somewhere/large
    python benchmarks/reference.py --form csc --panel 5000 --cells 100000
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

logger = logging.getLogger(__name__)

BLOCK = 5_000
STRING = h5py.string_dtype()


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "atlas.h5ad"
        started = time.monotonic()
        # A process inherits the peak of the one that starts it: this one stays small.
        _apart(write_atlas, path, arguments)
        whole_mb = arguments.cells * arguments.values * 8 / 1e6
        print(
            f"{arguments.cells:,} cells x {arguments.genes:,} genes, {arguments.form}, {arguments.scale}, "
            f"{arguments.labels} labels: {path.stat().st_size / 1e6:,.0f} MB on disk "
            f"({time.monotonic() - started:.0f} s to make), {whole_mb:,.0f} MB in memory if it were read whole"
        )
        for panel in arguments.panel:
            seconds, before, peak = _apart(_read, path, panel, arguments.cells_per_label)
            print(
                f"panel of {panel:5d}: {seconds:6.1f} s, peak {peak:6.0f} MB, of which libraries {before:4.0f} MB"
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=700_000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--values", type=int, default=1500, help="non-zero values per cell")
    parser.add_argument("--labels", type=int, default=60)
    parser.add_argument("--form", choices=["csr", "csc"], default="csr")
    parser.add_argument("--scale", choices=["counts", "log1p"], default="counts")
    parser.add_argument("--compression", choices=["gzip", "lzf", "none"], default="gzip")
    parser.add_argument("--panel", type=int, nargs="+", default=[350, 5000], help="genes")
    parser.add_argument("--cells-per-label", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=None, help="where the file is made")
    return parser.parse_args()


def write_atlas(path: Path, arguments: argparse.Namespace) -> None:
    """Write the atlas as anndata would, never more than a block of it in memory."""
    by_cell = arguments.form == "csr"
    n_major, n_minor = arguments.cells, arguments.genes
    per_major = arguments.values
    if not by_cell:
        per_major = round(arguments.cells * arguments.values / arguments.genes)
        n_major, n_minor = n_minor, n_major
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        _write_names(file, arguments)
        shape = (arguments.cells, arguments.genes)
        _write_values(file, n_major, n_minor, per_major, shape, arguments)


def _write_names(file: h5py.File, arguments: argparse.Namespace) -> None:
    rng = np.random.default_rng(0)
    obs = _frame(
        file, "obs", [f"cell{number}" for number in range(arguments.cells)], ["ct", "donor"]
    )
    # Shares from common to rare, as in an atlas.
    shares = np.geomspace(1, 1e-4, arguments.labels)
    labels = rng.choice(arguments.labels, arguments.cells, p=shares / shares.sum())
    _categorical(obs, "ct", labels, arguments.labels)
    _categorical(obs, "donor", rng.integers(0, 40, arguments.cells), 40)
    var = _frame(file, "var", [f"GENE{number}" for number in range(arguments.genes)], ["gene_ids"])
    ids = [f"ENSG{number:011d}.{number % 9}" for number in range(arguments.genes)]
    _text(var, "gene_ids", ids)


def _frame(file: h5py.File, name: str, index: list[str], columns: list[str]) -> Any:
    group = file.create_group(name)
    group.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
    group.attrs["_index"] = "_index"
    group.attrs.create("column-order", columns, dtype=STRING)
    _text(group, "_index", index)
    return group


def _text(group: Any, name: str, words: list[str]) -> None:
    dataset = group.create_dataset(name, data=words, dtype=STRING)
    dataset.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


def _categorical(group: Any, name: str, codes: np.ndarray, n_words: int) -> None:
    column = group.create_group(name)
    column.attrs.update(
        {"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False}
    )
    written = column.create_dataset("codes", data=codes.astype(np.int8))
    written.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    _text(column, "categories", [f"{name} {number:02d}" for number in range(n_words)])


def _write_values(
    file: h5py.File,
    n_major: int,
    n_minor: int,
    per_major: int,
    shape: tuple[int, int],
    arguments: argparse.Namespace,
) -> None:
    rng, by_cell = np.random.default_rng(1), arguments.form == "csr"
    group = file.create_group("X")
    group.attrs.update({"encoding-type": f"{arguments.form}_matrix", "encoding-version": "0.1.0"})
    group.attrs["shape"] = np.array(shape)
    group.create_dataset("indptr", data=np.arange(n_major + 1, dtype=np.int64) * per_major)
    packed = {} if arguments.compression == "none" else {"compression": arguments.compression}
    if arguments.compression == "gzip":
        packed["compression_opts"] = 1
    n_values = n_major * per_major
    indices = group.create_dataset("indices", (n_values,), np.int32, chunks=(1 << 16,), **packed)
    data = group.create_dataset("data", (n_values,), np.float32, chunks=(1 << 16,), **packed)
    step = max(1, BLOCK * arguments.values // per_major)
    for first in range(0, n_major, step):
        rows = min(step, n_major - first)
        # Ascending and different within a row: sorted gaps of at least one.
        room = n_minor - per_major
        places = np.sort(rng.integers(0, room + 1, (rows, per_major)), axis=1)
        places += np.arange(per_major)
        values = 1 + rng.poisson(0.6, (rows, per_major)).astype(np.float32)
        if arguments.scale == "log1p":
            # By column the sums of the cells are not known: there it is the logarithm of the counts.
            values = np.log1p(
                1e4 * values / values.sum(axis=1, keepdims=True) if by_cell else values
            )
        where = slice(first * per_major, (first + rows) * per_major)
        indices[where], data[where] = places.ravel(), values.ravel()


def _apart(function: Callable[..., Any], *arguments: Any) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def _read(path: Path, panel: int, cells_per_label: int) -> tuple[float, float, float]:
    """Return seconds, and the process's peak in MB before and after."""
    from sthelar_build.io.reference import read_reference

    logging.basicConfig(level=logging.INFO, format="    %(message)s")
    symbols = [f"GENE{3 * number}" for number in range(panel)]
    ids = [f"ENSG{3 * number:011d}" for number in range(panel)]
    before, started = _peak_mb(), time.monotonic()
    found = read_reference(
        path, "ct", symbols, ids, cells_per_label=cells_per_label, donor_columns=("donor",)
    )
    seconds = time.monotonic() - started
    logger.info("%d cells, %d values", found.counts.shape[0], found.counts.nnz)
    return seconds, before, _peak_mb()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
