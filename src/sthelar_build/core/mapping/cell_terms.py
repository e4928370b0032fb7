"""The pass over a range of cells for the terms that are computed cell by cell: density and cosines."""

# mypy: allow-untyped-decorators

from __future__ import annotations

import numpy as np

from sthelar_build.core.mapping.lanes import WIDTH, load, multiply_add, spread, store, total
from sthelar_build.core.mapping.parts import (
    BLOCK,
    ROWS_IN_FLOAT32,
    add_products,
    empty,
    helper,
    kernel,
    write_share,
)
from sthelar_build.core.mapping.records import CellParts, CellTarget, Doubles, Floats, Softmax

_F = np.float32
_SMALLEST_NORM = _F(1e-8)


@kernel
def cell_sums(
    first: int,
    last: int,
    logits: Floats,
    softmax: Softmax,
    cells: CellParts,
    target: CellTarget,
    part: Floats,
    slopes: Doubles,
) -> tuple[float, float]:
    """Return the sums of d log(P w) and of the cells' cosines over the cells from ``first`` to before ``last``.

    Writes what these terms give to every cell's derivative (``density``, ``toward`` and ``along`` of ``cells``), and
    to ``slopes`` the column sums of P times it. ``part`` is zero before and after, as in :func:`sweep`.
    """
    shares = np.zeros((BLOCK, part.shape[1]), np.float32)
    log_density, cosines = 0.0, 0.0
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        write_share(start, stop, logits, softmax, shares)
        log_density += _density(start, stop, shares, cells, target, part)
        if len(cells.similarity):
            cosines += _cosines(start, stop, shares, cells, target, part)
        if (stop - first) % ROWS_IN_FLOAT32 == 0 or stop == last:
            empty(part, slopes)
    return log_density, cosines


@helper
def _density(
    start: int, stop: int, shares: Floats, cells: CellParts, target: CellTarget, part: Floats
) -> float:
    """Return the sum of d log(P w); write the cells' part of the derivative, and add up P times it."""
    log_density = 0.0
    for row in range(start, stop):
        products = spread(_F(0.0))
        for lane in range(0, shares.shape[1], WIDTH):
            wanted = load(cells.label_density, 0, lane)
            products = multiply_add(load(shares, row - start, lane), wanted, products)
        predicted = total(products)
        ratio = target.density_weight * target.density[row] / predicted
        cells.density[row] = ratio
        for lane in range(0, shares.shape[1], WIDTH):
            slope = spread(-ratio) * load(cells.label_density, 0, lane)
            found = multiply_add(load(shares, row - start, lane), slope, load(part, 0, lane))
            store(part, 0, lane, found)
        if ratio > 0:
            log_density += target.density[row] * np.log(np.float64(predicted))
    return log_density


@helper
def _cosines(
    start: int, stop: int, shares: Floats, cells: CellParts, target: CellTarget, part: Floats
) -> float:
    """Return the sum of the cells' cosines; write their part of the derivative, and add up P times it."""
    cosines, along = 0.0, np.zeros_like(shares)
    add_products(stop - start, shares, cells.profile_gram, along)
    for row in range(start, stop):
        products, squares = spread(_F(0.0)), spread(_F(0.0))
        for lane in range(0, shares.shape[1], WIDTH):
            share = load(shares, row - start, lane)
            products = multiply_add(share, load(cells.similarity, row, lane), products)
            squares = multiply_add(share, load(along, row - start, lane), squares)
        norm = max(np.sqrt(total(squares)), _SMALLEST_NORM)
        cosine = total(products) / norm
        cells.toward[row] = target.cosine_weight / norm
        cells.along[row] = target.cosine_weight * cosine / (norm * norm)
        for lane in range(0, shares.shape[1], WIDTH):
            shrink = spread(cells.along[row]) * load(along, row - start, lane)
            slope = shrink - spread(cells.toward[row]) * load(cells.similarity, row, lane)
            found = multiply_add(load(shares, row - start, lane), slope, load(part, 0, lane))
            store(part, 0, lane, found)
        cosines += cosine
    return cosines
