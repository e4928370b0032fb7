"""Seconds and memory of our Tangram against tangram-sc, on the same objective from the same start.

Both map the labels of a reference onto the same simulated counts, on one core, for the same number of epochs, side by side.
The peak is that of each engine in a process of its own, libraries included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp


def main() -> None:
    arguments = _arguments()
    print("cells    engine         s    MB   loss      ratio of time, memory")
    for n_cells in arguments.cells:
        rows = {name: _apart(name, n_cells, arguments) for name in ("tangram-sc", "sparse")}
        for name, (seconds, peak_mb, loss) in rows.items():
            slow, large, _ = rows["tangram-sc"]
            print(
                f"{n_cells:7d}  {name:10s} {seconds:7.1f} {peak_mb:5.0f}  {loss:8.5f}"
                f"  {slow / seconds:6.1f}, {large / peak_mb:.1f}"
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=[2500, 5000, 10000])
    parser.add_argument("--genes", type=int, default=320)
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--molecules", type=int, default=120, help="per cell (120)")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _apart(engine: str, n_cells: int, arguments: argparse.Namespace) -> tuple[float, float, float]:
    """Run an engine in a fresh process, on one thread."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        result: tuple[float, float, float] = pool.apply(_run, (engine, n_cells, arguments))
    return result


def _run(engine: str, n_cells: int, arguments: argparse.Namespace) -> tuple[float, float, float]:
    from sthelar_build.core.mapping import loss

    problem = _problem(n_cells, arguments)
    place = _engine(engine)
    start = np.random.default_rng(arguments.seed).standard_normal(
        (n_cells, arguments.labels), dtype=np.float32
    )
    place(problem, start, 1)  # libraries are loaded before the clock runs
    begin = time.perf_counter()
    placement = place(problem, start, arguments.epochs)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, peak / 1024, loss(problem, placement)


def _engine(name: str) -> Callable[..., Any]:
    if name == "sparse":
        from sthelar_build.core.mapping import place_labels

        return place_labels
    import torch

    from sthelar_build.adapters.tangram import place_labels_with_tangram_sc

    torch.set_num_threads(1)
    return place_labels_with_tangram_sc


def _problem(n_cells: int, arguments: argparse.Namespace) -> Any:
    from sthelar_build.core.mapping import Problem

    rng = np.random.default_rng(arguments.seed)
    profiles = rng.gamma(0.3, 1.0, (arguments.labels, arguments.genes)) + 0.01
    profiles /= profiles.sum(axis=1, keepdims=True)
    depth = rng.gamma(4.0, arguments.molecules / 4, n_cells)
    labels = rng.integers(0, arguments.labels, n_cells)
    counts = sp.csr_matrix(rng.poisson(profiles[labels] * depth[:, None]).astype(np.float32))
    totals = np.asarray(counts.sum(axis=1)).ravel()
    shares = np.full(arguments.labels, 1 / arguments.labels)
    return Problem(profiles * shares[:, None] * n_cells, counts, totals / totals.sum(), shares)


if __name__ == "__main__":
    main()
