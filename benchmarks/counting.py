"""Reading and counting transcripts, from the raw bundle to tables of counts, against public packages.

Ours are two commands, ``sthelar-build ingest`` and ``sthelar-build count``: they read, check and convert the whole bundle, and count in cells
and in nuclei. The others run in processes of their own (``counting_cases/peers.py``), and all counts must be equal, entry by entry. sopa
and geopandas count in cells and in nuclei too (``--cells-only``: in cells alone), the others in cells alone; they need
``make .venv-peers``, and what is not installed is left out.

The bundles are copies of a simulated one on a grid (``counting_cases/bundle.py``): a GB of disk for 20 million transcripts, deleted at
the end. Everything takes its turn ``--repeats`` times, and the best counts. Time of the processor is of all threads. The peak is that of
the process, libraries included.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp
from counting_cases.bundle import write_tiled_bundle
from figures import Figure, add_figures, add_json
from measured import Usage, run_measured
from peers import PYTHON, has, why_not

SOURCE = Path("resources/toy/toy_breast/xenium")
FOLDER = Path("results/benchmarks/counting")
MODULES = {
    "sopa": ("spatialdata_io", "sopa"),
    "sjoin": ("geopandas",),
    "spatialdata": ("spatialdata_io",),
    "pandas": ("pandas", "pyarrow"),
    "polars": ("polars",),
}
IN_NUCLEI_TOO = ("sopa", "sjoin")
PEER = Path(__file__).parent / "counting_cases" / "peers.py"


def main() -> None:
    arguments = _arguments()
    print(
        "transcripts  method                          s    CPU s     MB   ratio s   ratio CPU  counts"
    )
    for millions in arguments.millions:
        bundle, out = arguments.folder / "bundle", arguments.folder / "out"
        n = write_tiled_bundle(arguments.source, bundle, int(millions * 1e6))
        found: dict[str, Usage] = {}
        for _ in range(arguments.repeats):
            for name, used in _in_turn(arguments, bundle, out).items():
                found[name] = min(found.get(name, used), used, key=lambda one: one.seconds)
        _print(n, found, out, arguments)
        shutil.rmtree(arguments.folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[2, 7, 20])
    parser.add_argument("--source", type=Path, default=SOURCE, help=f"bundle of a tile ({SOURCE})")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"scratch ({FOLDER})")
    parser.add_argument("--peers", nargs="*", choices=MODULES, default=list(MODULES))
    parser.add_argument("--cells-only", action="store_true", help="the others leave out nuclei")
    parser.add_argument("--repeats", type=int, default=1, help="the best counts (1)")
    add_json(parser)
    return parser.parse_args()


def _in_turn(arguments: argparse.Namespace, bundle: Path, out: Path) -> dict[str, Usage]:
    used = {"ours": _ours(bundle, out)}
    for name in arguments.peers:
        if not has(*MODULES[name]):
            print(f"             {name:12s} {why_not(*MODULES[name])}")
            continue
        more = ["nuclei"] if name in IN_NUCLEI_TOO and not arguments.cells_only else []
        command = [str(PYTHON), str(PEER), name, str(bundle), str(out / name), *more]
        used[name] = _done(run_measured(command, {"PYTHONPATH": ""}))
    return used


def _ours(bundle: Path, out: Path) -> Usage:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    tables = ("nuclei.parquet", "cells.parquet", "transcripts.parquet", "bundle.json")
    given = {Path(name).stem: out / name for name in tables}
    made = {f"counts-{name}": out / f"counts_{name}.h5ad" for name in ("nuclei", "cells")}
    read = _done(run_measured(_command("ingest", {"xenium": bundle, **given})))
    return read.then(_done(run_measured(_command("count", {**given, **made}))))


def _command(stage: str, options: dict[str, Path]) -> list[str]:
    words = [word for name, path in options.items() for word in (f"--{name}", str(path))]
    return [sys.executable, "-m", "sthelar_build", stage, *words, "--settings", "{}"]


def _done(used: Usage) -> Usage:
    if used.status:
        sys.exit(used.output)
    return used


def _print(n: int, found: dict[str, Usage], out: Path, arguments: argparse.Namespace) -> None:
    ours = found["ours"]
    figures = []
    for name, used in found.items():
        head = (
            f"{n:11d}  {name:24s} {used.seconds:8.1f} {used.cpu_seconds:8.1f} {used.peak_mb:6.0f}"
        )
        if name == "ours":
            print(head)
            continue
        said = ", ".join(_equal(out, path) for path in sorted(out.glob(f"{name}_*.npz")))
        ratios = used.seconds / ours.seconds, used.cpu_seconds / ours.cpu_seconds
        print(f"{head} {ratios[0]:9.1f} {ratios[1]:11.1f}  {said}", flush=True)
        figures.append(
            Figure(
                "counting",
                f"{n / 1e6:.0f} M transcripts",
                "s",
                ours.seconds,
                used.seconds,
                name,
                ours.peak_mb,
                used.peak_mb,
                f"{said}; {ratios[1]:.1f} in CPU time",
            )
        )
    add_figures(arguments.json, figures)


def _equal(out: Path, path: Path) -> str:
    """Say whether the counts are the same; genes that a package leaves out must have none."""
    kind = path.stem.rsplit("_", 1)[1]
    ours = anndata.read_h5ad(out / f"counts_{kind}.h5ad")
    with np.load(path) as parts:
        shape = len(parts["objects"]), len(parts["genes"])
        theirs = sp.csr_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
        rows = pd.Index(parts["objects"]).get_indexer(ours.obs_names.astype(str))
        columns = pd.Index(parts["genes"]).get_indexer(ours.var_names)
    same = (_filled(_filled(theirs, rows).T.tocsr(), columns).T.tocsr() != ours.X).nnz == 0
    return f"{kind} {'equal' if same else 'DIFFERENT'}"


def _filled(matrix: sp.csr_matrix, rows: np.ndarray) -> sp.csr_matrix:
    """Return the rows of these numbers; -1 is an empty one."""
    empty = sp.csr_matrix((1, matrix.shape[1]), dtype=matrix.dtype)
    return sp.vstack([matrix, empty], format="csr")[rows]


if __name__ == "__main__":
    main()
