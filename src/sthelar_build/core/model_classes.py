"""The classes of a trained network and those of the dataset, matched by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sthelar_build.schema.groupings import GROUPINGS, Grouping
from sthelar_build.schema.labels import OTHER

BACKGROUND = "Background"
"""What is no nucleus: code 0."""
_PUBLISHED_OTHER = "dead"
"""What the networks published with STHELAR call Other; in PanNuke it is a class of its own."""


@dataclass(frozen=True)
class ModelClasses:
    """One numbering for both sides: 0 is background, then the classes of the grouping, then types of the network only."""

    grouping: Grouping
    strangers: tuple[str, ...]
    """Types of the network that are no class of the grouping."""
    unknown: tuple[str, ...]
    """Classes of the grouping that the network does not know: it can never name them."""
    code_of_type: NDArray[np.uint8]
    """Code of every type of the network, by its index."""

    @property
    def names(self) -> list[str]:
        """Name of every code."""
        return [BACKGROUND, *self.grouping.names, *self.strangers]

    @property
    def n_classes(self) -> int:
        """Classes of the grouping; their codes are 1 to ``n_classes``."""
        return len(self.grouping.names)

    @property
    def n_known(self) -> int:
        """Classes of the grouping that the network knows."""
        return self.n_classes - len(self.unknown)


def match_classes(nuclei_types: Mapping[str, int]) -> ModelClasses:
    """Find the grouping whose classes the network was trained on.

    Parameters
    ----------
    nuclei_types
        Type -> index, as the checkpoint says; the type Background, or index 0 if none is called so, is background.

    Returns
    -------
    The grouping that shares most names with the network, the one with fewest other classes among equals. Case,
    spaces and underscores do not count. ``Dead`` is Other where all other types of the network are classes of the
    grouping. A network that shares no name is matched with the detailed classes, all of its types strangers.
    """
    found = [_matched(grouping, nuclei_types) for grouping in GROUPINGS.values()]
    return max(found, key=_shared) if any(one.n_known for one in found) else found[0]


def _shared(one: ModelClasses) -> tuple[int, int]:
    return one.n_known, -len(one.unknown)


def _matched(grouping: Grouping, nuclei_types: Mapping[str, int]) -> ModelClasses:
    code_of = {_plain(name): code for code, name in enumerate(grouping.names, start=1)}
    background = next((t for t in nuclei_types if _plain(t) == _plain(BACKGROUND)), None)
    types = {
        name: index
        for name, index in nuclei_types.items()
        if (name != background if background else index != 0)
    }
    others = {_plain(name) for name in types} - {_PUBLISHED_OTHER}
    if others and others <= set(code_of) - {_plain(OTHER)}:
        code_of[_PUBLISHED_OTHER] = grouping.other
    strangers = tuple(name for name in types if _plain(name) not in code_of)
    codes = np.zeros(max(nuclei_types.values()) + 1, dtype=np.uint8)
    for name, index in types.items():
        own = len(grouping.names) + 1 + strangers.index(name) if name in strangers else 0
        codes[index] = own or code_of[_plain(name)]
    known = set(codes.tolist())
    unknown = tuple(n for code, n in enumerate(grouping.names, start=1) if code not in known)
    return ModelClasses(grouping, strangers, unknown, codes)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
