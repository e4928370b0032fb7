"""How long each kind of work took, added up over threads."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up seconds by the name of the work; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, work: str) -> Iterator[None]:
        """Add the time of a block to that of ``work``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[work] += time.perf_counter() - start

    def words(self, n: int) -> str:
        """Return the milliseconds of every work for each of ``n`` things, in the order of their first end."""
        per_one = {work: 1000 * seconds / max(n, 1) for work, seconds in self._seconds.items()}
        return ", ".join(f"{work} {ms:.1f} ms" for work, ms in per_one.items()) or "nothing"
