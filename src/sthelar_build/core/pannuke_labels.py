"""The type of a nucleus, by the vote of its pixels in the type map of a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def voted_types(
    type_px: NDArray[np.int64], background: int | None = 0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the type of every nucleus and the share of its pixels that say so, by the published rule (STHELAR).

    Parameters
    ----------
    type_px
        (n, t): pixels of each type in the nucleus, over all patches.
    background
        Type that is only given to a nucleus all of whose pixels say so; None where there is none.

    Returns
    -------
    Type (n,), the lower of a tie, -1 for a nucleus without pixels; share (n,) of all pixels, those of the background
    included, NaN for a nucleus without pixels.
    """
    votes = np.array(type_px, dtype=np.int64)
    total = votes.sum(axis=1)
    if background is not None:
        others = total > votes[:, background]
        votes[others, background] = 0
    winner = votes.argmax(axis=1) if votes.shape[1] else np.zeros(len(votes), dtype=np.int64)
    won = votes.max(axis=1, initial=0)
    share = np.divide(won, total, out=np.full(len(total), np.nan), where=total > 0)
    return np.where(total > 0, winner, -1), share
