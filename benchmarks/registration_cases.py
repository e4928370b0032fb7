"""Slides whose registration is known, written to a folder: simulated, distorted, and of a real scan."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from cases.case import Case
from cases.scan import make_scan_case, scan_plans
from cases.simulated import distorted_plans, make_simulated, simulated_plans

from sthelar_build.io.workers import map_processes

Maker = Callable[[Path], Case]


def main() -> None:
    arguments = _arguments()
    make_cases(arguments.folder, arguments.scan, arguments.only, arguments.threads)


def make_cases(folder: Path, scan: Path | None, only: str, threads: int) -> None:
    """Make the cases whose names fit ``only`` and that are not there yet."""
    makers = {
        folder / name: maker
        for name, maker in all_makers(scan).items()
        if fnmatch(name, only) and not (folder / name / "truth.json").exists()
    }
    for line in map_processes(_timed, makers.items(), threads):
        print(line, flush=True)


def all_makers(scan: Path | None) -> dict[str, Maker]:
    """Return what makes each case, by the name of the case; none on a scan that is not there."""
    plans = simulated_plans() | distorted_plans()
    makers: dict[str, Maker] = {n: partial(make_simulated, plan) for n, plan in plans.items()}
    if scan is None or not scan.exists():
        print(f"no cases on a real scan: {scan or 'no scan'} is not there")
        return makers
    return makers | {n: partial(make_scan_case, p, scan) for n, p in scan_plans().items()}


def _timed(job: tuple[Path, Maker]) -> str:
    folder, make = job
    start = time.perf_counter()
    case = make(folder)
    seconds = time.perf_counter() - start
    nuclei = len(case.nuclei_he())
    size = f"{case.truth['he_width_px']} x {case.truth['he_height_px']} px"
    return f"{case.name:10s} {seconds:5.1f} s  {nuclei:6d} nuclei  {size}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path("results/benchmarks/registration")
    parser.add_argument("folder", type=Path, nargs="?", default=folder, help=f"({folder})")
    scan = os.environ.get("STHELAR_SCAN")
    parser.add_argument(
        "--scan",
        type=Path,
        default=scan and Path(scan),
        help="a small real scan, CMU-1-Small-Region.svs of OpenSlide's test data ($STHELAR_SCAN)",
    )
    parser.add_argument("--only", default="*", help="names of the cases, as a pattern (*)")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
