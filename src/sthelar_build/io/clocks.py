"""Files that are dated in the future: Snakemake stops at the first job that makes something of them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from sthelar_build.errors import InputError

_SKEW_S = 60
"""The clock of a file server may be so far off."""


def check_dates(paths: Iterable[Path]) -> None:
    """Raise InputError for a file that was changed more than a minute from now; those that are absent are passed over."""
    for path in paths:
        try:
            changed_s = path.stat().st_mtime
        except OSError:
            continue
        if changed_s > time.time() + _SKEW_S:
            raise InputError(
                f"{path}: expected a date in the past, found {datetime.fromtimestamp(changed_s, UTC):%Y-%m-%d %H:%M} UTC: "
                "what is made from it would seem older than it; correct the clock, or touch the file"
            )
