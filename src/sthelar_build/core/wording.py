"""Numbers, counts and facts in words, for logs and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

NO_VALUE = "\N{EN DASH}"
_LONGEST_LIST = 8


def tally(words: Iterable[str | None]) -> str:
    """Return how often every word comes, by word, None apart.

    >>> tally(["guard", None, "outside", "guard"])
    '2 guard, 1 outside'
    >>> tally([])
    'none'
    """
    counts = Counter(word for word in words if isinstance(word, str))
    return ", ".join(f"{n} {word}" for word, n in sorted(counts.items())) or "none"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number as text, an en dash where there is none."""
    return NO_VALUE if value is None or np.isnan(value) else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """Return a share as per cent; what is not quite nothing or not quite all never rounds to it."""
    if share is None or np.isnan(share):
        return NO_VALUE
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def count(value: int) -> str:
    """Return a whole number with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size(n_bytes: float) -> str:
    """Return the size of files with its unit, in powers of ten.

    >>> size(58_300_000_000)
    '58.3 GB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 999.5:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.4g} TB"


def in_words(value: Any) -> str:
    """Return a fact as one line of text; a long list becomes its length."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {in_words(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) if len(value) <= _LONGEST_LIST else str(len(value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return NO_VALUE if value is None else str(value)
