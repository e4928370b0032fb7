"""The order of clusters by name."""

from __future__ import annotations

import re
from collections.abc import Iterable


def in_order(names: Iterable[str]) -> list[str]:
    """Return names such as 2, 10 and 7.1, by the numbers in them.

    >>> in_order(["10", "7.2", "7", "7.1"])
    ['7', '7.1', '7.2', '10']
    """
    return sorted(names, key=lambda name: ([int(part) for part in re.findall(r"\d+", name)], name))
