"""The molecules of a block drawn anew at each of its places: no two parts of a mosaic have the same cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.simulation.expression import DISPERSION
from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.slide import SimulatedSlide

_CELLS_AT_A_TIME = 2000


@dataclass(frozen=True, eq=False)
class Redraw:
    """What molecules are drawn from: what the cells of every type hold, all blocks together."""

    seed: int
    mixing: float
    """Share of a mixed cell's molecules that its neighbour's type gives."""
    labels: pd.Index
    """Fine labels of the cells that are not mixed."""
    profiles: NDArray[np.float64]
    """(labels + 1, codewords); the last row is that of all cells, which those take whose label has no molecules.
    Rows sum to 1."""

    @classmethod
    def of(cls, blocks: Sequence[SimulatedSlide], seed: int, mixing: float) -> Redraw:
        """Measure the blocks, which share one panel: spilled molecules and controls are in the profiles, too."""
        labels = pd.Index(
            sorted({name for b in blocks for name in _pure(b).dropna()}), dtype=object
        )
        n_codewords = len(blocks[0].features)
        sums = np.zeros((len(labels) + 1, n_codewords))
        for block in blocks:
            row, codeword = _in_cells(block)
            group = labels.get_indexer(_pure(block))[row]
            np.add.at(sums, (group, codeword), 1)
        sums[-1] = sums.sum(axis=0) if sums.any() else 1
        sums[sums.sum(axis=1) == 0] = sums[-1]
        return cls(seed, mixing, labels, sums / sums.sum(axis=1, keepdims=True))

    def __call__(self, block: SimulatedSlide, name: str) -> pd.DataFrame:
        """Return the transcripts of a block with other codewords; chance depends on the seed and on ``name``.

        Every cell keeps the number, places and qualities of its molecules. Their codewords are a multinomial sample of
        the profile of its type, times a gamma noise of each cell and gene, as in ``cell_counts``. Here the noise is on
        what spilled in, too: shares of a gene vary more among the cells of a type (dispersion 0.4) than in a block (0.25),
        where the noise of the neighbours averages out. Those of the molecules in no cell are shuffled.
        """
        rng = stream(self.seed, f"molecules of {name}")
        codeword = block.transcripts["codeword_index"].to_numpy().copy()
        cell_row = block.transcripts["cell_row"].to_numpy()
        between = np.flatnonzero(cell_row < 0)
        codeword[between] = rng.permutation(codeword[between])
        inside = np.flatnonzero(cell_row >= 0)
        by_cell = inside[np.lexsort((rng.random(len(inside)), cell_row[inside]))]
        codeword[by_cell] = self._drawn(
            rng, block, np.bincount(cell_row[inside], minlength=len(block.cells))
        )
        return block.transcripts.assign(codeword_index=codeword)

    def _drawn(
        self, rng: np.random.Generator, block: SimulatedSlide, n_molecules: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """Return the codewords of the molecules of all cells, cell by cell."""
        own = self.labels.get_indexer(block.cells["fine_label"])
        other = self.labels.get_indexer(block.cells["mixed_with"])
        weight = np.where(block.cells["mixed_with"].notna(), self.mixing, 0.0)[:, None]
        n_codewords = self.profiles.shape[1]
        drawn = [np.empty(0, dtype=np.int32)]
        for start in range(0, len(own), _CELLS_AT_A_TIME):
            part = slice(start, start + _CELLS_AT_A_TIME)
            profile = (1 - weight[part]) * self.profiles[own[part]]
            profile += weight[part] * self.profiles[other[part]]
            profile *= rng.gamma(1 / DISPERSION, DISPERSION, profile.shape)
            profile /= profile.sum(axis=1, keepdims=True)
            counts = rng.multinomial(n_molecules[part], profile)
            every = np.tile(np.arange(n_codewords, dtype=np.int32), len(counts))
            drawn.append(np.repeat(every, counts.ravel()))
        return np.concatenate(drawn)


def _pure(block: SimulatedSlide) -> pd.Series:
    """Return the fine label of every cell; null for a mixed one."""
    labels: pd.Series = block.cells["fine_label"].where(block.cells["mixed_with"].isna(), None)
    return labels


def _in_cells(block: SimulatedSlide) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return cell and codeword of the molecules that lie in cells."""
    table = block.transcripts[block.transcripts["cell_row"] >= 0]
    return table["cell_row"].to_numpy(), table["codeword_index"].to_numpy()
