"""The pass that moves the logits of a range of cells and adds up what the next step needs.

Float32 throughout, with sums over many cells in float64.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

import numpy as np

from sthelar_build.core.mapping.lanes import (
    WIDTH,
    largest,
    load,
    multiply_add,
    size,
    spread,
    square_root,
    store,
    unless_below,
)
from sthelar_build.core.mapping.parts import (
    BLOCK,
    ROWS_IN_FLOAT32,
    add_products,
    empty,
    exp,
    helper,
    kernel,
    write_share,
)
from sthelar_build.core.mapping.records import (
    FIRST_BETA,
    SECOND_BETA,
    CellParts,
    Counts,
    Floats,
    Move,
    PartSums,
    Pulls,
    Softmax,
    State,
    Sums,
)

_F = np.float32
_NOTHING = _F(1e-16)
"""Slopes below move a logit by next to nothing, and their squares are denormal."""


@kernel
def sweep(
    first: int,
    last: int,
    counts: Counts,
    state: State,
    softmax: Softmax,
    pulls: Pulls,
    cells: CellParts,
    move: Move,
    next_shift: Floats,
    parts: PartSums,
    sums: Sums,
    highest: Floats,
) -> None:
    """Move the logits of the cells from ``first`` to before ``last``, and add up their new exponentials.

    Writes ``sums`` (of exp(M - next_shift)) and ``highest`` (1, labels), the largest logits. ``parts`` holds the sums
    over some rows in float32; it is zero before and after.
    """
    width = next_shift.shape[1]
    shares, slopes = np.zeros((BLOCK, width), np.float32), np.zeros((BLOCK, width), np.float32)
    highest[:] = -np.inf
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        if move.rate > 0:
            write_share(start, stop, state.logits, softmax, shares)
            _slope(start, stop, state.logits, softmax, pulls, cells, slopes)
            _take_off(start, stop, counts, pulls.pull, slopes)
            add_products(stop - start, shares, pulls.shrink, slopes)
            if len(cells.similarity):
                _add_cosines(start, stop, shares, cells, slopes)
            _step(start, stop, state, shares, slopes, move)
        _weigh(start, stop, state.logits, next_shift, shares, parts, highest)
        _overlap(start, stop, counts, shares, parts.counts)
        _square(stop - start, shares, parts.gram)
        if (stop - first) % ROWS_IN_FLOAT32 == 0 or stop == last:
            empty(parts.total, sums.total)
            empty(parts.logs, sums.logs)
            empty(parts.counts, sums.counts)
            empty(parts.gram, sums.gram)


@helper
def _slope(
    start: int,
    stop: int,
    logits: Floats,
    softmax: Softmax,
    pulls: Pulls,
    cells: CellParts,
    slopes: Floats,
) -> None:
    """Write the derivative by P of the density and the entropy, less the column sums of the whole one times P."""
    entropy, one = spread(pulls.entropy), spread(_F(1.0))
    for row in range(start, stop):
        density = spread(cells.density[row])
        for lane in range(0, slopes.shape[1], WIDTH):
            above = load(logits, row, lane) - load(softmax.shift, 0, lane)
            log_share = above + load(softmax.log_scale, 0, lane)
            slope = multiply_add(entropy, log_share + one, load(pulls.column_sums, 0, lane))
            slope = multiply_add(density, load(cells.label_density, 0, lane), slope)
            store(slopes, row - start, lane, spread(_F(0.0)) - slope)


@helper
def _take_off(start: int, stop: int, counts: Counts, pull: Floats, slopes: Floats) -> None:
    """Subtract the counts times ``pull`` from the slopes; in two sums, as each waits for its last addition."""
    genes, values = counts.genes, counts.values
    for row in range(start, stop):
        first, last = counts.starts[row], counts.starts[row + 1]
        for lane in range(0, slopes.shape[1], WIDTH):
            even, odd = spread(_F(0.0)), spread(_F(0.0))
            for entry in range(first, last - 1, 2):
                after = entry + 1
                even = multiply_add(spread(values[entry]), load(pull, genes[entry], lane), even)
                odd = multiply_add(spread(values[after]), load(pull, genes[after], lane), odd)
            if (last - first) % 2:
                value, gene = spread(values[last - 1]), genes[last - 1]
                even = multiply_add(value, load(pull, gene, lane), even)
            left = load(slopes, row - start, lane) - (even + odd)
            store(slopes, row - start, lane, left)


@helper
def _add_cosines(start: int, stop: int, shares: Floats, cells: CellParts, slopes: Floats) -> None:
    """Add the derivative by P of the cells' cosines."""
    along = np.zeros_like(shares)
    add_products(stop - start, shares, cells.profile_gram, along)
    for row in range(start, stop):
        shrink, pull = spread(cells.along[row]), spread(cells.toward[row])
        for lane in range(0, shares.shape[1], WIDTH):
            slope = multiply_add(
                shrink, load(along, row - start, lane), load(slopes, row - start, lane)
            )
            slope = slope - pull * load(cells.similarity, row, lane)
            store(slopes, row - start, lane, slope)


@helper
def _step(start: int, stop: int, state: State, shares: Floats, slopes: Floats, move: Move) -> None:
    """Take a step of Adam (Kingma and Ba 2015, arXiv 1412.6980)."""
    nothing = spread(_NOTHING)
    for row in range(start, stop):
        for lane in range(0, slopes.shape[1], WIDTH):
            change = load(slopes, row - start, lane) * load(shares, row - start, lane)
            change = unless_below(change, nothing, size(change))
            mean = load(state.mean, row, lane)
            mean = multiply_add(spread(_F(1 - FIRST_BETA)), change - mean, mean)
            mean = unless_below(mean, nothing, size(mean))
            variance = spread(_F(SECOND_BETA)) * load(state.variance, row, lane)
            variance = multiply_add(spread(_F(1 - SECOND_BETA)) * change, change, variance)
            deviation = square_root(variance) * spread(move.correction) + spread(move.epsilon)
            logits = load(state.logits, row, lane) - spread(move.rate) * mean / deviation
            store(state.mean, row, lane, mean)
            store(state.variance, row, lane, variance)
            store(state.logits, row, lane, logits)


@helper
def _weigh(
    start: int,
    stop: int,
    logits: Floats,
    shift: Floats,
    weights: Floats,
    parts: PartSums,
    highest: Floats,
) -> None:
    """Write the exponentials, and add them up."""
    for lane in range(0, weights.shape[1], WIDTH):
        top, shifts = load(highest, 0, lane), load(shift, 0, lane)
        sums, logs = load(parts.total, 0, lane), load(parts.logs, 0, lane)
        for row in range(start, stop):
            logit = load(logits, row, lane)
            weight = exp(logit - shifts)
            top, sums = largest(top, logit), sums + weight
            logs = multiply_add(weight, logit - shifts, logs)
            store(weights, row - start, lane, weight)
        store(highest, 0, lane, top)
        store(parts.total, 0, lane, sums)
        store(parts.logs, 0, lane, logs)


@helper
def _overlap(start: int, stop: int, counts: Counts, weights: Floats, overlap: Floats) -> None:
    """Add the outer products of the counts and the weights."""
    genes, values = counts.genes, counts.values
    for row in range(start, stop):
        for lane in range(0, overlap.shape[1], WIDTH):
            weight = load(weights, row - start, lane)
            for entry in range(counts.starts[row], counts.starts[row + 1]):
                found = load(overlap, genes[entry], lane)
                found = multiply_add(spread(values[entry]), weight, found)
                store(overlap, genes[entry], lane, found)


@helper
def _square(n_rows: int, weights: Floats, gram: Floats) -> None:
    """Add the outer products of the weights with themselves, label by label."""
    for label in range(gram.shape[0]):
        for lane in range(0, gram.shape[1], WIDTH):
            left = load(gram, label, lane)
            for row in range(n_rows):
                left = multiply_add(spread(weights[row, label]), load(weights, row, lane), left)
            store(gram, label, lane, left)
