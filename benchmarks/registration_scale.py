"""Seconds and memory of registration on a slide of 54,000 x 48,000 px with about 600,000 nuclei.

The stage runs as the workflow runs it, in a process of its own. The peak is the largest sum over it and its children
of what each holds in memory, read five times a second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cases.case import Case
from cases.outcome import compared, number
from cases.whole_slide import SlidePlan, make_whole_slide

from sthelar_build.io.transform import read_transform

_THREADS = 2
_BETWEEN_S = 0.2


@dataclass(frozen=True)
class Usage:
    """What a process took."""

    status: int
    seconds: float
    peak_mb: float


def main() -> None:
    arguments = _arguments()
    case = Case(arguments.case)
    if not (case.folder / "truth.json").exists():
        make_whole_slide(SlidePlan(), case.folder)
    nuclei = len(case.nuclei_he())
    print(f"{case.truth['he_width_px']} x {case.truth['he_height_px']} px, {nuclei} nuclei")
    alignment = str(case.matrix_csv) if arguments.alignment == "matrix" else arguments.alignment
    found = case.folder / "found"
    used = run_measured(_command(case, alignment, found, arguments.settings))
    print(f"{used.seconds:.0f} s, peak {used.peak_mb:.0f} MB, exit status {used.status}")
    if used.status == 0:
        outcome = compared(case, read_transform(found / "transform.json"), used.seconds)
        print(
            f"{outcome.verdict}: error um (median, p95) {number(outcome.median_um)}, "
            f"{number(outcome.p95_um)} {outcome.message}"
        )


def run_measured(command: list[str]) -> Usage:
    """Run a command to its end."""
    start, peak_mb = time.perf_counter(), 0.0
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            peak_mb = max(peak_mb, resident_mb(process.pid))
            time.sleep(_BETWEEN_S)
    return Usage(process.returncode, time.perf_counter() - start, peak_mb)


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and all below it (Linux); 0 for one that has ended.

    Pages that processes share count for each: the sum is never too small.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        below = " ".join((task / "children").read_text(encoding="utf-8") for task in tasks)
    except OSError:
        return 0.0
    own_kb = next((int(row.split()[1]) for row in status.splitlines() if "VmRSS" in row), 0)
    return own_kb / 1024 + sum(resident_mb(int(child)) for child in below.split())


def _command(case: Case, alignment: str, found: Path, settings: str) -> list[str]:
    found.mkdir(exist_ok=True)
    options = {
        "he": case.he,
        "xenium": case.xenium,
        "bundle": case.bundle,
        "nuclei": case.nuclei,
        "alignment": alignment,
        "transform": found / "transform.json",
        "registration": found / "registration.parquet",
        "pictures": found / "registration",
        "settings": settings,
        "threads": _THREADS,
    }
    pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [sys.executable, "-m", "sthelar_build", "register", *pairs]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path("results/benchmarks/registration_scale/slide")
    parser.add_argument("--case", type=Path, default=folder, help=f"folder of the slide ({folder})")
    parser.add_argument("--alignment", choices=["auto", "matrix"], default="auto")
    parser.add_argument("--settings", default="{}", help="of the stage, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
