"""A placement in memory, swept chunk by chunk by any number of threads, with the same bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import TypeVar

import numpy as np

from sthelar_build.core.mapping import layout
from sthelar_build.core.mapping.cell_terms import cell_sums
from sthelar_build.core.mapping.descent import Schedule, descend
from sthelar_build.core.mapping.objective import (
    CellSums,
    Doubles,
    Floats,
    Objective,
    Overlaps,
    Problem,
    Slopes,
    Terms,
)
from sthelar_build.core.mapping.parts import write_shares
from sthelar_build.core.mapping.records import (
    FIRST_BETA,
    SECOND_BETA,
    Move,
    Pulls,
    Softmax,
    State,
    Sums,
)
from sthelar_build.core.mapping.sweep import sweep

Result = TypeVar("Result")
_STAY = Move(np.float32(0), np.float32(0), np.float32(0))


def place_labels(
    problem: Problem,
    start: Floats,
    schedule: Schedule,
    threads: int = 1,
    steps: Iterable[int] | None = None,
) -> tuple[Floats, list[Terms]]:
    """Return the placement P that Adam comes to from the logits ``start`` (cells, labels), and the terms.

    P is float32 (cells, labels), its columns sum to 1; ``start`` is not modified. The terms are those before
    every step and after the last. The same input gives the same bits whatever the number of threads.
    ``steps`` is that of :func:`descent.descend`.
    """
    with ThreadPoolExecutor(threads) as pool:
        placement = ChunkedPlacement(problem, start, pool if threads > 1 else None)
        history = descend(placement, Objective(problem), schedule, steps)
        return placement.shares(), history


class ChunkedPlacement:
    """Logits, and Adam's momenta, of all cells: beside the counts, the one large thing in memory.

    Every chunk of cells has sums of its own, which are added up in the order of the chunks.
    """

    def __init__(
        self, problem: Problem, start: Floats, pool: ThreadPoolExecutor | None = None
    ) -> None:
        n_cells, n_genes = problem.counts.shape
        self.n_labels = len(problem.label_density)
        self.width = layout.padded_width(self.n_labels)
        self.weights, self.pool = problem.weights, pool
        self.counts = layout.kernel_counts(problem.counts)
        self.cells = layout.cell_parts(problem, self.width)
        self.target = layout.cell_target(problem.cell_density, self.weights)
        momenta = (layout.aligned_zeros(n_cells, self.width) for _ in range(2))
        self.state = State(layout.padded(start, n_cells, self.width), *momenta)
        self.chunks = layout.chunks(n_cells, n_genes * self.width)
        self.parts = [layout.no_parts(n_genes, self.width) for _ in self.chunks]
        self.highest = self.state.logits.max(axis=0, keepdims=True)
        self.softmax = Softmax(self.highest, self.highest, self.highest)
        nothing = layout.aligned_zeros(1, self.width)
        self._sweep(Pulls(nothing, nothing, nothing, np.float32(0)), _STAY)

    def overlaps(self) -> Overlaps:
        """Return the sums that the genes' cosines need."""
        used, total = slice(self.n_labels), self.sums.total
        entropy = np.log(total[0, used]) - (self.sums.logs / total)[0, used]
        return Overlaps(
            counts=(self.sums.counts / total)[:, used],
            gram=(self.sums.gram / (total.T @ total))[used, used],
            entropy=entropy if self.weights.entropy else np.zeros_like(entropy),
        )

    def cell_sums(self) -> CellSums:
        """Return the sums of the cells' own terms."""
        slopes = np.zeros((len(self.chunks), 1, self.width))
        if not self.weights.density and not self.weights.cells:
            return CellSums(0.0, 0.0, slopes[0, 0, : self.n_labels])

        def add_up(chunk: int) -> tuple[float, float]:
            constant = self.state.logits, self.softmax, self.cells, self.target
            part = self.parts[chunk].total
            found = cell_sums(*self.chunks[chunk], *constant, part, slopes[chunk])
            return float(found[0]), float(found[1])

        log_density, cosines = np.sum(self._map(add_up), axis=0).tolist()
        return CellSums(log_density, cosines, slopes.sum(axis=0)[0, : self.n_labels])

    def step(
        self, slopes: Slopes, number: int, learning_rate: float, epsilon: float = 1e-8
    ) -> None:
        """Take the ``number``-th step of Adam, from 1."""
        rate = learning_rate / (1 - FIRST_BETA**number)
        correction = 1 / np.sqrt(1 - SECOND_BETA**number)
        pulls = layout.kernel_pulls(slopes, self.weights.entropy, self.width)
        self._sweep(pulls, Move(np.float32(rate), np.float32(correction), np.float32(epsilon)))

    def shares(self) -> Floats:
        """Return P; it takes the place of the logits."""
        self._map(lambda chunk: write_shares(*self.chunks[chunk], self.state.logits, self.softmax))
        return np.ascontiguousarray(self.state.logits[:, : self.n_labels])

    def _sweep(self, pulls: Pulls, move: Move) -> None:
        """Move the logits, and bring the sums and the softmax up to date."""
        shift, before = self.highest, self.softmax
        sums = [Sums(*(np.zeros(part.shape) for part in parts)) for parts in self.parts]
        highest = np.empty((len(self.chunks), 1, self.width), dtype=np.float32)

        def run(chunk: int) -> None:
            moved = self.counts, self.state, before, pulls, self.cells, move, shift
            written = self.parts[chunk], sums[chunk], highest[chunk]
            sweep(*self.chunks[chunk], *moved, *written)

        self._map(run)
        self.highest = highest.max(axis=0)
        self.sums = Sums(*(_in_order(each) for each in zip(*sums, strict=True)))
        self.softmax = _softmax(shift, self.sums.total, self.n_labels)

    def _map(self, function: Callable[[int], Result]) -> list[Result]:
        each = range(len(self.chunks))
        return list(self.pool.map(function, each) if self.pool else map(function, each))


def _in_order(parts: tuple[Doubles, ...]) -> Doubles:
    return reduce(np.add, parts)


def _softmax(shift: Floats, total: Doubles, n_labels: int) -> Softmax:
    scale = 1 / total
    scale[:, n_labels:] = 0
    return Softmax(shift, scale.astype(np.float32), (-np.log(total)).astype(np.float32))
