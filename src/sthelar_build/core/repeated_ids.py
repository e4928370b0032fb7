"""Whether an id has been seen before, over hundreds of millions of ids, in little memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PAGE = 2**16
"""Ids that share the bits of one page: 8 KiB."""
_MOST_PAGES = 2**14
"""128 MiB; a billion ids where they are dense."""

Ids = NDArray[np.uint64]


class RepeatedIds:
    """Watches a stream of ids (uint64) for one that comes twice.

    A bit an id, in pages that exist only where ids fall: ids that count up, from any number of starts, take an eighth
    of a byte each. Ids that lie so far apart that the pages would take more than 128 MiB are, from there on, compared
    within their batch alone; ``is_whole`` says so.
    """

    def __init__(self) -> None:
        self._pages: dict[int, NDArray[np.uint8]] = {}
        self.is_whole = True
        """Whether every id has been compared with every other."""

    def first_repeated(self, ids: Ids) -> int | None:
        """Take a batch (n,); return one of its ids that came before, in this batch or an earlier one, or None."""
        ordered = np.sort(ids)
        twice = np.flatnonzero(ordered[1:] == ordered[:-1])
        if len(twice):
            return int(ordered[twice[0]])
        numbers = ordered // _PAGE
        starts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] + 1))
        for piece in np.split(ordered, starts[1:]) if len(ordered) else ():
            repeated = self._seen(piece)
            if repeated is not None:
                return repeated
        return None

    def _seen(self, ids: Ids) -> int | None:
        """Note distinct ids of one page."""
        number = int(ids[0]) // _PAGE
        if number not in self._pages and len(self._pages) >= _MOST_PAGES:
            self.is_whole = False
            return None
        bits = np.zeros(_PAGE, dtype=np.bool_)
        bits[(ids % _PAGE).astype(np.intp)] = True
        packed = np.packbits(bits)
        page = self._pages.setdefault(number, np.zeros_like(packed))
        both = np.flatnonzero(np.unpackbits(page & packed))
        page |= packed
        return number * _PAGE + int(both[0]) if len(both) else None
