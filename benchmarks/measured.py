"""Run a command to its end: seconds on the clock, seconds of the processor, and peak memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BETWEEN_S = 0.02


@dataclass(frozen=True)
class Usage:
    """What a command took."""

    status: int
    seconds: float
    cpu_seconds: float
    """Of all its threads, and of its processes that it waited for."""
    peak_mb: float
    """Of itself and all below it; pages that processes share count for each."""
    output: str = ""

    def then(self, other: Usage) -> Usage:
        """Return what this command and then another took."""
        return Usage(
            self.status or other.status,
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_mb, other.peak_mb),
            self.output + other.output,
        )


def run_measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command, and keep what it prints."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            env=os.environ | dict(environment or {}),
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        watch = _Watch(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        return Usage(
            process.returncode,
            seconds,
            used.ru_utime + used.ru_stime,
            watch.ended(),
            printed.read(),
        )


class _Watch:
    """Asks the system, again and again, for the memory of a process and all below it.

    ``ru_maxrss`` does not do: a process inherits it from the one that starts it.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._peak_mb, self._over = pid, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def ended(self) -> float:
        self._over.set()
        self._thread.join()
        return self._peak_mb

    def _look(self) -> None:
        while not self._over.wait(_BETWEEN_S):
            self._peak_mb = max(self._peak_mb, resident_mb(self._pid))


def resident_mb(pid: int) -> float:
    """Return the memory of a process, its peak where it is alone, and all below it; 0 for one that has ended (Linux)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        below = " ".join((task / "children").read_text(encoding="utf-8") for task in tasks).split()
    except OSError:
        return 0.0
    field = "VmRSS" if below else "VmHWM"
    own_kb = next((int(row.split()[1]) for row in status.splitlines() if field in row), 0)
    return own_kb / 1024 + sum(resident_mb(int(child)) for child in below)
