"""Registration against the truth: the stage ``register`` on slides of every orientation, resolution and defect.

Error: how far the found map puts nuclei on the H&E from where they are, over the nuclei that lie on it.
Makes the cases first where they are not there.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cases.case import Case, find_cases
from cases.outcome import Job, Outcome, number, outcome_of
from registration_cases import make_cases

from sthelar_build.io.workers import map_processes

LIMITS_UM = (0.5, 1.5)
"""Of the median and the 95th percentile of the error."""
LIMITS_DISTORTED_UM = (1.0, 2.0)

Row = tuple[Case, Outcome]


def main() -> None:
    arguments = _arguments()
    make_cases(arguments.cases, arguments.scan, arguments.only, arguments.threads)
    cases = find_cases(arguments.cases, arguments.only)
    jobs = [
        Job(case, _alignment(case, arguments.alignment), case.folder / "found", arguments.settings)
        for case in cases
    ]
    print("case        verdict  error um (median, p95)  measured um (median, p95)      s  traits")
    rows = []
    for case, found in zip(cases, map_processes(outcome_of, jobs, arguments.threads), strict=True):
        rows.append((case, found))
        print(_line(case, found), flush=True)
    _summary(rows)


def limits_um(case: Case) -> tuple[float, float]:
    """Return the limits of the median and the 95th percentile of the error."""
    is_flat = case.truth["traits"].get("distortion", "none") == "none"
    return LIMITS_UM if is_flat else LIMITS_DISTORTED_UM


def _alignment(case: Case, kind: str) -> str:
    return str(case.matrix_csv) if kind == "matrix" else kind


def _line(case: Case, found: Outcome) -> str:
    wrong = "" if found.is_stopped or found.is_right(*limits_um(case)) else " WRONG"
    return (
        f"{case.name:10s}  {found.verdict + wrong:13s} {number(found.median_um):>8s}, "
        f"{number(found.p95_um):>6s}  {number(found.said_median_um):>14s}, "
        f"{number(found.said_p95_um):>6s}  {found.seconds:8.1f}  {_traits(case.truth)}"
        + (f"\n            {found.message}" if found.message else "")
    )


def _traits(truth: dict[str, Any]) -> str:
    traits = truth["traits"]
    tag = traits["tag_factor"]
    turned = 90 * traits["quarter_turns"] + traits["angle_deg"]
    parts = [
        f"{truth['um_per_px']:.4g} um/px",
        "no tag" if tag is None else f"tag x{tag:g}",
        f"{turned:.0f} deg" + (" mirrored" if traits["mirrored"] else ""),
        traits.get("tissue", ""),
        traits.get("overlap", ""),
        "+".join(traits["defects"]),
    ]
    return ", ".join(part for part in parts if part)


def _summary(rows: Sequence[Row]) -> None:
    verdicts = Counter(found.verdict for _, found in rows)
    finished = [(case, found) for case, found in rows if not found.is_stopped]
    wrong = [case.name for case, found in finished if not found.is_right(*limits_um(case))]
    passed = [found for _, found in finished if found.verdict == "pass"]
    print(f"\n{len(rows)} cases: " + ", ".join(f"{n} {name}" for name, n in verdicts.items()))
    if rows:
        print(f"pass: {len(passed) / len(rows):.1%}")
    if passed:
        worst = np.max([(found.median_um, found.p95_um) for found in passed], axis=0)
        print(f"worst errors of those that pass: median {worst[0]:.2f} um, p95 {worst[1]:.2f} um")
    print(f"wrong but not stopped: {', '.join(wrong) or 'none'}")
    stopped = [case.name for case, found in rows if found.is_stopped]
    print(f"stopped: {', '.join(stopped) or 'none'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path("results/benchmarks/registration")
    parser.add_argument(
        "--cases", type=Path, default=folder, help=f"folder of the cases ({folder})"
    )
    parser.add_argument("--only", default="*", help="names of the cases, as a pattern (*)")
    parser.add_argument(
        "--alignment",
        choices=["auto", "matrix", "identity"],
        default="auto",
        help="what the stage is given: auto, the true matrix, or identity (auto)",
    )
    parser.add_argument("--settings", default="{}", help="of the stage, as JSON")
    scan = os.environ.get("STHELAR_SCAN")
    parser.add_argument("--scan", type=Path, default=scan and Path(scan), help="a real scan")
    parser.add_argument("--threads", type=int, default=2, help="cases at a time (2)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
