"""Keys of clusters: a short text that tells whether a numbered cluster still holds the same cells.

Numbers of clusters mean nothing beyond one run: another seed, setting or package version deals them out anew.
A key is the number, the size, and a bottom-k sketch of the cells (Broder 1997, "On the resemblance and containment
of documents"; Cohen & Kaplan 2007): the lowest hashes of their ids. They are a random sample of the cluster that is
the same at any time, so two keys tell how much two clusters share, and one key tells where its cells are now.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SAMPLE = 16
"""Cells that a key samples: a cluster that shares half its cells with another passes for it once in 500 times."""
_CHARACTERS = 5
_BITS = 6 * _CHARACTERS
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_LEAST_SHARED = 0.85
_LEAST_SIZE_RATIO = 0.8


@dataclass(frozen=True)
class ClusterKey:
    """What a cluster was called, how many cells it had, and the lowest hashes of their ids, ascending."""

    name: str
    size: int
    sample: tuple[int, ...]

    def __str__(self) -> str:
        """Return the key as text: ``name@size.sample``."""
        return f"{self.name}@{self.size}.{''.join(map(_letters, self.sample))}"

    @classmethod
    def parse(cls, text: str) -> ClusterKey:
        """Return the key that a text stands for; ValueError if it is not whole."""
        name, _, rest = text.rpartition("@")
        size, _, letters = rest.partition(".")
        if not (name and size.isdecimal() and set(letters) <= _VALUE.keys()):
            raise ValueError(f"no key of a cluster: {text!r}")
        parts = [letters[i : i + _CHARACTERS] for i in range(0, len(letters), _CHARACTERS)]
        sample = tuple(map(_number, parts))
        whole = len(letters) == _CHARACTERS * min(int(size), SAMPLE)
        if not whole or not sample or list(sample) != sorted(sample):
            raise ValueError(f"an incomplete key of a cluster: {text!r}")
        return cls(name, int(size), sample)


@dataclass(frozen=True)
class Comparison:
    """What became of a cluster."""

    old: ClusterKey
    new: ClusterKey | None
    """The cluster that has its name now; None if none has."""
    shared: int
    """Of ``sampled`` cells of the two clusters together, how many are in both."""
    sampled: int
    now_in: Mapping[str | None, int]
    """Where the old cluster's sample is now, most frequent first; None: in no cluster any more."""

    @property
    def same(self) -> bool:
        """Whether the cluster of that name still is the one it was, but for a few cells at its border."""
        if self.new is None:
            return False
        small, large = sorted((self.old.size, self.new.size))
        return small >= _LEAST_SIZE_RATIO * large and self.shared >= _LEAST_SHARED * self.sampled

    @property
    def unchanged(self) -> bool:
        """Whether nothing can be told to have changed at all."""
        return self.new == self.old


class HashedClusters:
    """The cells of a slide by cluster, with the hash of every cell's id."""

    def __init__(self, cell_ids: Sequence[str] | pd.Series, clusters: pd.Series) -> None:
        """Take the ids of all cells, and their clusters in the same order; null is in none."""
        table = pd.DataFrame(
            {"cluster": clusters.to_numpy(dtype=object), "hash": hashes(cell_ids)}
        ).dropna(subset="cluster")
        self._table = table.sort_values("hash", kind="stable")
        lowest = self._table.groupby("cluster", sort=False)["hash"]
        sizes = lowest.size()
        self._keys = {
            str(name): ClusterKey(str(name), int(sizes[name]), tuple(values.head(SAMPLE).tolist()))
            for name, values in lowest
        }

    def key(self, name: str) -> ClusterKey | None:
        """Return the key of a cluster; None if no cell is in it."""
        return self._keys.get(name)

    @property
    def names(self) -> list[str]:
        """The clusters that hold cells, by name."""
        return sorted(self._keys)

    def compare(self, old: ClusterKey) -> Comparison:
        """Return what became of a cluster that had this key."""
        new = self.key(old.name)
        theirs = set(new.sample) if new else set()
        lowest = sorted(theirs.union(old.sample))[:SAMPLE]
        shared = theirs.intersection(old.sample).intersection(lowest)
        found = self._table[self._table["hash"].isin(old.sample)].drop_duplicates("hash")
        now_in: Counter[str | None] = Counter(found["cluster"].astype(str))
        if lost := len(old.sample) - len(found):
            now_in[None] = lost
        return Comparison(old, new, len(shared), len(lowest), dict(now_in.most_common()))


def hashes(cell_ids: Sequence[str] | pd.Series) -> NDArray[np.int64]:
    """Return 30 evenly spread bits for every id, the same on every machine and in every run."""
    texts = (str(cell_id).encode() for cell_id in cell_ids)
    return np.fromiter(
        (
            int.from_bytes(hashlib.blake2b(text, digest_size=4).digest()) >> 32 - _BITS
            for text in texts
        ),
        dtype=np.int64,
        count=len(cell_ids),
    )


def _letters(number: int) -> str:
    return "".join(_ALPHABET[number >> 6 * place & 63] for place in reversed(range(_CHARACTERS)))


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number << 6 | _VALUE[letter]
    return number
