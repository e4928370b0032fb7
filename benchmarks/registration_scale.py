"""Seconds and memory of the stage ``register`` on a slide of 54,000 x 48,000 px, with 600,000 nuclei or more.

The whole stage runs as the workflow runs it, in a process of its own: search or refinement, straightening, quality of all
tiles, and pictures. A slide that is finished is not drawn again.

``python benchmarks/registration_scale.py --nuclei 1350000 --alignment matrix``
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from cases.case import Case
from cases.outcome import compared, number
from cases.whole_slide import SlidePlan, make_whole_slide
from measured import run_measured

from sthelar_build.io.transform import read_transform

_THREADS = 2
_SEEN = 0.8385
"""Nuclei of the bundle for one on the H&E, by the defaults of ``SlidePlan``."""
_MANY, _SIZE_IF_MANY = 1_000_000, 0.8


def main() -> None:
    arguments = _arguments()
    case = Case(arguments.folder / f"{arguments.nuclei}_nuclei")
    if not (case.folder / "truth.json").exists():
        make_whole_slide(planned(arguments.nuclei), case.folder)
    nuclei = len(case.nuclei_he())
    print(f"{case.truth['he_width_px']} x {case.truth['he_height_px']} px, {nuclei} nuclei")
    alignment = str(case.matrix_csv) if arguments.alignment == "matrix" else arguments.alignment
    found = case.folder / "found"
    used = run_measured(_command(case, alignment, found, arguments.settings))
    print(
        f"{used.seconds:.0f} s, of the processor {used.cpu_seconds:.0f} s, peak {used.peak_mb:.0f} MB, "
        f"exit status {used.status}"
    )
    if used.status:
        print(used.output)
    else:
        outcome = compared(case, read_transform(found / "transform.json"), used.seconds)
        print(
            f"{outcome.verdict}: error um (median, p95) {number(outcome.median_um)}, "
            f"{number(outcome.p95_um)} {outcome.message}"
        )


def planned(nuclei: int) -> SlidePlan:
    """Return the plan of a slide with about so many nuclei of its bundle."""
    size = _SIZE_IF_MANY if nuclei > _MANY else 1.0
    return replace(SlidePlan(), nuclei=round(nuclei / _SEEN), size=size)


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
    folder = Path("results/benchmarks/registration_scale")
    parser.add_argument("--folder", type=Path, default=folder, help=f"of the slides ({folder})")
    parser.add_argument("--nuclei", type=int, default=628_000, help="of the bundle (628,000)")
    parser.add_argument("--alignment", choices=["auto", "matrix"], default="auto")
    parser.add_argument("--settings", default="{}", help="of the stage, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
