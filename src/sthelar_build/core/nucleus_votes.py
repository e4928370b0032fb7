"""Which class a network gives to a nucleus that is already drawn: its pixels vote, over all patches that show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


def type_votes(
    dense: NDArray[np.int32], types: NDArray[Any], n: int, n_types: int
) -> NDArray[np.int64]:
    """Count the pixels of every type in every instance.

    Parameters
    ----------
    dense
        Instance map (y, x), ids 1..n.
    types
        Type of every pixel (y, x), 0 to ``n_types - 1``.

    Returns
    -------
    (n, n_types) pixels.
    """
    keys = dense.ravel().astype(np.int64) * n_types + types.ravel()
    return np.bincount(keys, minlength=(n + 1) * n_types).reshape(-1, n_types)[1:]


@dataclass
class SlideVotes:
    """What the patches of a slide say of its nuclei, by nucleus id."""

    n_nuclei: int
    """Largest nucleus id."""
    n_types: int
    votes: NDArray[np.uint32] = field(init=False)
    """(n_nuclei + 1, n_types) pixels."""
    seen_px: NDArray[np.uint32] = field(init=False)
    """Pixels that the network calls nucleus."""
    n_patches: NDArray[np.uint16] = field(init=False)
    """Patches that show the nucleus."""
    rank: NDArray[np.int8] = field(init=False)
    """Highest rank of those patches; -1 without any."""

    def __post_init__(self) -> None:
        n = self.n_nuclei + 1
        self.votes = np.zeros((n, self.n_types), dtype=np.uint32)
        self.seen_px = np.zeros(n, dtype=np.uint32)
        self.n_patches = np.zeros(n, dtype=np.uint16)
        self.rank = np.full(n, -1, dtype=np.int8)

    def add(
        self,
        nucleus_ids: NDArray[np.uint32],
        votes: NDArray[np.int64],
        seen_px: NDArray[np.int64],
        rank: int,
    ) -> None:
        """Add one patch: the ids that it shows, each once, their votes (n, n_types) and pixels seen (n,)."""
        self.votes[nucleus_ids] += votes.astype(np.uint32)
        self.seen_px[nucleus_ids] += seen_px.astype(np.uint32)
        self.n_patches[nucleus_ids] += 1
        self.rank[nucleus_ids] = np.maximum(self.rank[nucleus_ids], rank)

    @property
    def shown(self) -> NDArray[np.int64]:
        """Ids of the nuclei that any patch shows, ascending."""
        return np.flatnonzero(self.n_patches)
