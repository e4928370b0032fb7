"""The exact Tangram against tangram-sc on the same objective from the same start, and alone on whole slides.

Every run has a process of its own, one core, and the same simulated counts; libraries are loaded and kernels compiled before
the clock runs. The peak is that of the process, libraries included. The first table compares the two engines; the second
shows how the exact one grows. Counts are simulated block by block, so that they are not the peak.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from figures import Figure, add_figures, add_json

_BLOCK_CELLS = 10_000
_MOST_GENES_PER_CELL = 200


@dataclass(frozen=True)
class Case:
    """What is mapped."""

    cells: int
    genes: int
    labels: int
    molecules: float
    epochs: int
    seed: int


@dataclass(frozen=True)
class Result:
    """What an engine made of it."""

    seconds: float
    peak_mb: float
    entries_per_cell: float
    labels: Any
    losses: list[float]


def main() -> None:
    arguments = _arguments()
    print(f"{arguments.genes} genes, {arguments.labels} labels, one core\n")
    print(
        "  cells  steps  engine      s/step    MB  times faster, smaller   same label   loss apart"
    )
    for cells in arguments.cells:
        case = _case(arguments, cells, arguments.epochs)
        theirs, ours = (_apart(engine, case) for engine in ("tangram-sc", "exact"))
        _print(case, "tangram-sc", theirs)
        same = np.mean(theirs.labels == ours.labels)
        apart = np.abs(np.array(theirs.losses) - ours.losses[: len(theirs.losses)]).max()
        faster, smaller = theirs.seconds / ours.seconds, theirs.peak_mb / ours.peak_mb
        end = f"{faster:13.1f}, {smaller:7.1f}   {same:9.3%}   {apart:10.1e}"
        _print(case, "exact", ours, end)
        add_figures(arguments.json, [_figure(case, ours, theirs, f"same label {same:.3%}")])
    for cells in arguments.slide_cells:
        case = _case(arguments, cells, arguments.slide_epochs)
        ours = _apart("exact", case)
        per_cell = ours.seconds / case.epochs / cells * 1e6
        end = f"   {per_cell:.2f} us per cell and step, {ours.entries_per_cell:.0f} genes per cell"
        _print(case, "exact", ours, end)
        add_figures(arguments.json, [_figure(case, ours)])


def _figure(case: Case, ours: Result, theirs: Result | None = None, note: str = "") -> Figure:
    return Figure(
        "Tangram",
        f"{case.cells:,} cells",
        "s per step",
        ours.seconds / case.epochs,
        theirs.seconds / case.epochs if theirs else None,
        "tangram-sc" if theirs else "",
        ours.peak_mb,
        theirs.peak_mb if theirs else None,
        note,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="*", default=[2500, 5000, 10_000])
    parser.add_argument("--slide-cells", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--genes", type=int, default=400)
    parser.add_argument("--labels", type=int, default=30)
    parser.add_argument("--molecules", type=float, default=100, help="per cell (100)")
    parser.add_argument("--epochs", type=int, default=100, help="steps of the comparison (100)")
    parser.add_argument("--slide-epochs", type=int, default=10, help="steps on whole slides (10)")
    parser.add_argument("--seed", type=int, default=1)
    add_json(parser)
    return parser.parse_args()


def _case(arguments: argparse.Namespace, cells: int, epochs: int) -> Case:
    shape = arguments.genes, arguments.labels, arguments.molecules
    return Case(cells, *shape, epochs, arguments.seed)


def _print(case: Case, engine: str, result: Result, end: str = "") -> None:
    per_step = result.seconds / case.epochs
    head = f"{case.cells:7d}  {case.epochs:5d}  {engine:10s}"
    print(f"{head} {per_step:7.4f} {result.peak_mb:5.0f}  {end}", flush=True)


def _apart(engine: str, case: Case) -> Result:
    """Run an engine in a fresh process, on one thread."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found: Result = pool.apply(_run, (engine, case))
    return found


def _run(engine: str, case: Case) -> Result:
    from sthelar_build.core.mapping.descent import Schedule

    place = _engine(engine)
    small = Case(500, case.genes, case.labels, case.molecules, 1, case.seed)
    place(_problem(small), _start(small), Schedule(1))
    problem, start = _problem(case), _start(case)
    begin = time.perf_counter()
    placed, history = place(problem, start, Schedule(case.epochs))
    seconds = time.perf_counter() - begin
    return Result(
        seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        problem.counts.nnz / case.cells,
        placed.argmax(axis=1),
        [terms.total for terms in history],
    )


def _engine(name: str) -> Any:
    if name == "exact":
        from sthelar_build.core.mapping.chunks import place_labels

        return place_labels
    import torch

    from sthelar_build.adapters.tangram_sc import place_labels_with_tangram_sc

    torch.set_num_threads(1)
    return place_labels_with_tangram_sc


def _start(case: Case) -> Any:
    rng = np.random.default_rng(case.seed)
    return rng.standard_normal((case.cells, case.labels), dtype=np.float32)


def _problem(case: Case) -> Any:
    from sthelar_build.core.mapping.objective import Problem

    rng = np.random.default_rng(case.seed)
    profiles = rng.gamma(0.3, 1.0, (case.labels, case.genes)) + 0.01
    profiles /= profiles.sum(axis=1, keepdims=True)
    counts = _counts(case, profiles, rng)
    totals = np.add.reduceat(counts.data, counts.indptr[:-1]).astype(np.float64)
    shares = np.full(case.labels, 1 / case.labels)
    return Problem(profiles * shares[:, None] * case.cells, counts, totals / totals.sum(), shares)


def _counts(case: Case, profiles: Any, rng: np.random.Generator) -> sp.csr_matrix:
    """Return Poisson counts of random labels and depths; every cell has a count."""
    room = case.cells * min(case.genes, _MOST_GENES_PER_CELL)
    values, genes = np.empty(room, np.float32), np.empty(room, np.int32)
    starts, end = np.zeros(case.cells + 1, np.int64), 0
    for first in range(0, case.cells, _BLOCK_CELLS):
        n_cells = min(_BLOCK_CELLS, case.cells - first)
        depths = 5 + rng.gamma(4.0, case.molecules / 4, n_cells)
        labels = rng.integers(0, case.labels, n_cells)
        drawn = rng.poisson(profiles[labels] * depths[:, None])
        drawn[drawn.sum(axis=1) == 0, 0] = 1
        block = sp.csr_matrix(drawn)
        values[end : end + block.nnz], genes[end : end + block.nnz] = block.data, block.indices
        starts[first + 1 : first + n_cells + 1] = end + block.indptr[1:]
        end += block.nnz
    # Rows that were never written are not in memory.
    if end < 2**31:
        starts = starts.astype(np.int32)
    return sp.csr_matrix((values[:end], genes[:end], starts), shape=(case.cells, case.genes))


if __name__ == "__main__":
    main()
