"""Seconds and memory of every step of clustering on simulated cells, and how good the clusters are.

Every step runs in a process of its own, as the stage calls it; the peak is that of the process, libraries and inputs
included. The last line continues the two largest tables; UMAP stays below it, as no more than --umap-rows are fitted.
Quality: the adjusted Rand index of the clusters against the simulated types, with the neighbours that the stage takes
and, for tables small enough, with exact ones. Compilation by numba counts where it is not cached.

Seconds on two cores that other work shared (350 genes, 100 molecules a cell):

      cells   components   neighbours   leiden x4   umap   rank genes    all   peak (MB)
     50,000            1            3           2     19            1     27         456
    150,000            1            7          11     47            2     68         544
    400,000            3           21          32    101            3    160         741

Of the nearest neighbours 99 of 100 are found (50,000 and 150,000 cells). Adjusted Rand index at 50,000 cells with near
lists 0.780 0.848 0.887 0.670, with all pairs 0.798 0.847 0.888 0.669.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

RESOLUTIONS = (0.2, 0.4, 0.6, 2.0)
NEIGHBOURS, COMPONENTS, RANKED, SEED = 10, 16, 50, 0
BLOCK = 20_000
Usage = tuple[float, float]
"""Seconds, peak in MB."""


def main() -> None:
    arguments = _arguments()
    steps = _steps(arguments.umap_rows, arguments.threads)
    print("cells    " + "".join(f"{name:>18s}" for name in steps) + "   all (s)  peak (MB)")
    rows: dict[int, list[Usage]] = {}
    for n_cells in sorted(arguments.cells):
        with tempfile.TemporaryDirectory() as folder:
            _apart(simulate, Path(folder), n_cells, arguments.genes, arguments.molecules)
            rows[n_cells] = [_apart(step, Path(folder)) for step in steps.values()]
            _print_row(n_cells, rows[n_cells])
            if n_cells <= arguments.exact_up_to:
                _apart(exact_neighbours, Path(folder))
                _apart(leiden, Path(folder), "exact.npz")
            print(_quality(Path(folder)), flush=True)
    _print_row(arguments.up_to, _extrapolated(rows, arguments.up_to))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=[50_000, 150_000])
    parser.add_argument("--up-to", type=int, default=1_350_000, help="cells to extrapolate to")
    parser.add_argument("--genes", type=int, default=350)
    parser.add_argument("--molecules", type=int, default=100, help="per cell")
    parser.add_argument("--umap-rows", type=int, default=200_000)
    parser.add_argument("--exact-up-to", type=int, default=50_000, help="cells")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def _steps(umap_rows: int, threads: int) -> dict[str, Callable[[Path], Any]]:
    return {
        "log, scale": scale,
        "components": _Bound(components, threads),
        "neighbours": _Bound(neighbours, threads),
        f"leiden x{len(RESOLUTIONS)}": _Bound(leiden, "graph.npz"),
        "umap": _Bound(umap, umap_rows),
        "rank genes": rank,
    }


class _Bound:
    """A step with its last argument given; unlike a lambda it can go to another process."""

    def __init__(self, step: Callable[[Path, Any], Any], value: object) -> None:
        self.step, self.value = step, value

    def __call__(self, folder: Path) -> None:
        self.step(folder, self.value)


def _apart(step: Callable[..., Any], *arguments: object) -> Usage:
    """Run a step in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (step, arguments))


def _measured(step: Callable[..., Any], arguments: tuple[object, ...]) -> Usage:
    start = time.perf_counter()
    step(*arguments)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return time.perf_counter() - start, peak_mb


def _extrapolated(rows: dict[int, list[Usage]], n_cells: int) -> list[Usage]:
    """Continue what every step took at the two largest sizes."""
    large = max(rows)
    small = max((size for size in rows if size < large), default=0)
    before = rows.get(small, [(0.0, 0.0)] * len(rows[large]))
    return [
        (
            _continued((small, old[0]), (large, now[0]), n_cells),
            _continued((small, old[1]), (large, now[1]), n_cells),
        )
        for old, now in zip(before, rows[large], strict=True)
    ]


def _continued(small: tuple[int, float], large: tuple[int, float], size: int) -> float:
    """Continue by the power law through two points where it is steeper than linear, else by the line."""
    if small[1] > 0 and large[1] / small[1] > large[0] / small[0]:
        power = math.log(large[1] / small[1]) / math.log(large[0] / small[0])
        return float(large[1] * (size / large[0]) ** power)
    slope = max(large[1] - small[1], 0) / (large[0] - small[0])
    return large[1] + slope * (size - large[0])


def _print_row(n_cells: int, used: list[Usage]) -> None:
    cells = "".join(f"{seconds:9.1f} s{peak_mb:5.0f} MB" for seconds, peak_mb in used)
    seconds, peak_mb = sum(one[0] for one in used), max(one[1] for one in used)
    print(f"{n_cells:8d} {cells}  {seconds:8.1f} {peak_mb:10.0f}", flush=True)


def _quality(folder: Path) -> str:
    from sklearn.metrics import adjusted_rand_score

    types = np.load(folder / "types.npy")
    texts = []
    for name in ("graph", "exact"):
        if (folder / f"{name}_clusters.npz").exists():
            found = np.load(folder / f"{name}_clusters.npz")
            scores = [adjusted_rand_score(types, found[key]) for key in map(str, RESOLUTIONS)]
            texts.append(f"{name} {' '.join(f'{score:.3f}' for score in scores)}")
    return f"         adjusted Rand index at {RESOLUTIONS}: " + "; ".join(texts)


def simulate(folder: Path, n_cells: int, n_genes: int, molecules: int) -> None:
    """Write counts of 24 types in 6 lineages, of uneven shares; depth and genes vary more than Poisson."""
    rng = np.random.default_rng(SEED)
    lineages = np.where(rng.random((6, n_genes)) < 0.1, rng.lognormal(1.5, 0.5, (6, n_genes)), 1)
    marked = np.where(rng.random((24, n_genes)) < 0.08, rng.lognormal(1.6, 0.5, (24, n_genes)), 1)
    profiles = rng.lognormal(0, 1.2, n_genes) * lineages[np.arange(24) % 6] * marked
    profiles /= profiles.sum(axis=1, keepdims=True)
    types = rng.choice(24, n_cells, p=rng.dirichlet(np.ones(24)))
    depth = molecules * rng.lognormal(-0.125, 0.5, n_cells)
    blocks = []
    for start in range(0, n_cells, BLOCK):
        rows = slice(start, start + BLOCK)
        means = profiles[types[rows]] * depth[rows, None]
        blocks.append(sp.csr_matrix(rng.poisson(means).astype(np.float32)))
    np.save(folder / "types.npy", types)
    sp.save_npz(folder / "counts.npz", sp.vstack(blocks, format="csr"), compressed=False)


def scale(folder: Path) -> None:
    """Measure log-normalised expression."""
    from sthelar_build.core.normalise import GeneScale

    GeneScale.of(sp.load_npz(folder / "counts.npz"))


def components(folder: Path, threads: int) -> None:
    """Take principal components; the measuring of expression is part of it."""
    from sthelar_build.adapters.components import components_of

    counts = sp.load_npz(folder / "counts.npz")
    np.save(folder / "components.npy", components_of(counts, COMPONENTS, threads))


def neighbours(folder: Path, threads: int) -> None:
    """Search neighbours as the stage does in a large table, and join them."""
    from sthelar_build.adapters.neighbours import neighbour_graph

    found = np.load(folder / "components.npy")
    graph = neighbour_graph(found, NEIGHBOURS, SEED, exact=False, threads=threads)
    sp.save_npz(folder / "graph.npz", graph, compressed=False)


def exact_neighbours(folder: Path) -> None:
    """Search neighbours among all pairs, and join them."""
    from sthelar_build.adapters.neighbours import neighbour_graph

    graph = neighbour_graph(np.load(folder / "components.npy"), NEIGHBOURS, SEED, exact=True)
    sp.save_npz(folder / "exact.npz", graph, compressed=False)


def leiden(folder: Path, graph: str) -> None:
    """Cluster at every resolution."""
    from sthelar_build.adapters.leiden import leiden_clusters

    found = leiden_clusters(sp.load_npz(folder / graph), RESOLUTIONS, SEED)
    labels = {str(resolution): np.asarray(one.codes) for resolution, one in found.items()}
    np.savez(folder / graph.replace(".npz", "_clusters.npz"), **labels)


def umap(folder: Path, umap_rows: int) -> None:
    """Embed."""
    from sthelar_build.adapters.embedding import EmbeddingRecipe, embed

    recipe = EmbeddingRecipe(NEIGHBOURS, 50_000, umap_rows, SEED)
    embed(np.load(folder / "components.npy"), sp.load_npz(folder / "graph.npz"), recipe)


def rank(folder: Path) -> None:
    """Rank the genes of the finest clusters."""
    from sthelar_build.core.normalise import log_normalised_columns
    from sthelar_build.core.ranking import rank_genes

    logged = log_normalised_columns(sp.load_npz(folder / "counts.npz"))
    groups = np.load(folder / "graph_clusters.npz")[str(RESOLUTIONS[-1])].astype(np.intp)
    clusters = [str(number) for number in range(groups.max() + 1)]
    rank_genes(logged, groups, clusters, [str(n) for n in range(logged.shape[1])], RANKED)


if __name__ == "__main__":
    main()
