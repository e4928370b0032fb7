"""Files that are dated in the future: Snakemake makes again, at every run, what is older than its input."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

_SKEW_S = 60
"""The clock of a file server may be so far off."""


def dated_in_the_future(paths: Iterable[Path]) -> dict[Path, datetime]:
    """Return the files that were changed more than a minute from now, and when; those that are absent are not."""
    found = {}
    for path in paths:
        try:
            changed_s = path.stat().st_mtime
        except OSError:
            continue
        if changed_s > time.time() + _SKEW_S:
            found[path] = datetime.fromtimestamp(changed_s, UTC)
    return found
