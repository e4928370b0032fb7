"""Run the workflow and watch what its jobs hold: Snakemake samples rarely, the kernel keeps the peak of every process."""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from pathlib import Path

PEAKS = "peaks.json"
_BETWEEN_S = 0.3


def run_watched(command: list[str], folder: Path) -> int:
    """Run Snakemake in a folder to its end; note the peak of every job, in MB, in ``peaks.json`` there."""
    seen = read_peaks(folder)
    with (folder / "snakemake.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    while process.poll() is None:
        for job, peak_mb in _peaks_now(process.pid).items():
            seen[job] = max(seen.get(job, 0.0), peak_mb)
        _note(folder, seen)
        time.sleep(_BETWEEN_S)
    return process.returncode


def _note(folder: Path, peaks: dict[str, float]) -> None:
    draft = folder / f".{PEAKS}"
    draft.write_text(json.dumps(peaks, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draft.rename(folder / PEAKS)


def read_peaks(folder: Path) -> dict[str, float]:
    """Return the peaks of earlier calls by the name of the job's log."""
    path = folder / PEAKS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _peaks_now(parent: int) -> dict[str, float]:
    """Return the peaks of all processes below, summed by the log that they write to."""
    peaks: dict[str, float] = defaultdict(float)
    for pid in _below(parent):
        try:
            log = Path(f"/proc/{pid}/fd/1").readlink()
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            continue
        if log.suffix == ".log" and log.parent.parent.name == "logs":
            kb = next((int(row.split()[1]) for row in status.splitlines() if "VmHWM" in row), 0)
            peaks[log.stem] += kb / 1024
    return peaks


def _below(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = " ".join((task / "children").read_text(encoding="utf-8") for task in tasks)
    except OSError:
        return []
    found = [int(child) for child in children.split()]
    return found + [grandchild for child in found for grandchild in _below(child)]
