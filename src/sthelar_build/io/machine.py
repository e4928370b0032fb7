"""What this machine offers a job: memory, cores, room on a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of a container, or of a job of a cluster."""


def memory_mb(limits: tuple[Path, ...] = _LIMITS) -> float:
    """Return the memory that processes here may use together, in MB: of the machine, or less where a container says so."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([installed, *map(_limit, limits)]) / 1e6


def _limit(path: Path) -> float:
    try:
        return float(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # There is none, or it is "max".
        return float("inf")


def n_cores() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def free_mb(folder: Path) -> float:
    """Return the room on the disk where a folder is, or will be, in MB."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free / 1e6
