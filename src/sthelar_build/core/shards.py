"""Fixed parts of a grid of patches, so that several jobs can share a slide."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"([1-9]\d*)/([1-9]\d*)")


@dataclass(frozen=True)
class Shard:
    """One of ``n_shards`` equal runs of grid rows; runs may be empty."""

    number: int
    """From 1."""
    n_shards: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``2/7``: the second of seven; ValueError for anything else.

        >>> Shard.parse("2/7")
        Shard(number=2, n_shards=7)
        """
        found = _WRITTEN.fullmatch(text)
        if found is None or int(found[1]) > int(found[2]):
            raise ValueError(f"expected a shard such as 2/7, got {text!r}")
        return cls(int(found[1]), int(found[2]))

    def rows(self, n_rows: int) -> range:
        """Return the rows of a grid that are the shard's.

        >>> [list(Shard(number, 3).rows(4)) for number in (1, 2, 3)]
        [[0], [1], [2, 3]]
        """
        return range(
            (self.number - 1) * n_rows // self.n_shards, self.number * n_rows // self.n_shards
        )
