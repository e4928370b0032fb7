"""Long work shows how far it is: a bar on a terminal, a line a minute in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
_SECONDS_BETWEEN_LINES = 60.0


def progress(items: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    """Pass the items through and show progress; ``what`` names them, ``total`` counts them if that is known."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc=what, total=total)
        return
    logger = logging.getLogger(__name__)
    last = time.monotonic()
    for done, item in enumerate(items):
        yield item
        if time.monotonic() - last > _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            of_all = f" of {total}" if total is not None else ""
            logger.info("%s: %d%s", what, done + 1, of_all)
