"""The 10x cell id: two 32-bit numbers, written as eight letters, a dash and a decimal number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LETTERS = 8
_FIRST_LETTER = ord("a")
_SHIFTS = np.arange(28, -1, -4, dtype=np.uint32)


def cell_id_strings(prefix: ArrayLike, suffix: ArrayLike) -> NDArray[Any]:
    """Return the ids as text: 16 letters stand for the hexadecimal digits of the prefix.

    Parameters
    ----------
    prefix
        (n,) uint32, the whole range: 0 is ``aaaaaaaa``, 0xFFFFFFFF is ``pppppppp``.
    suffix
        (n,) non-negative integers, the number of the dataset; may have several digits.

    Returns
    -------
    (n,) array of Python strings: (1, 1) becomes ``aaaaaaab-1``.
    """
    digits = (np.asarray(prefix, dtype=np.uint32)[:, None] >> _SHIFTS) & 0xF
    letters = np.ascontiguousarray(digits + _FIRST_LETTER, dtype=np.uint8)
    words = letters.view(f"S{_LETTERS}").ravel().astype(f"U{_LETTERS}")
    numbers = np.asarray(suffix, dtype=np.uint32).astype(str)
    return np.strings.add(np.strings.add(words, "-"), numbers).astype(object)
