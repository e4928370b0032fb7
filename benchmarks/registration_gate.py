"""The gate of registration: planted mistakes must be stopped or repaired, correct matrices let through.

Eight slides, one of each orientation; every one with every mistake. ``repaired`` is a run that finished with the
nuclei where they truly lie.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cases.case import Case
from cases.looks import Look
from cases.mistakes import Matrix, correct, mistaken, of_another_slide
from cases.outcome import Job, Outcome, number, outcome_of
from cases.simulated import Plan, make_simulated

from sthelar_build.io.workers import map_processes

_RIGHT_UM = (1.6, 3.0)
"""Limits of the error for what is let through: a correct matrix is off by up to 1.4 um itself."""


@dataclass(frozen=True)
class Trial:
    """A slide with an alignment."""

    name: str
    is_mistake: bool
    job: Job


def main() -> None:
    arguments = _arguments()
    cases = list(map_processes(_made, gate_plans(arguments.cases).items(), arguments.threads))
    trials = [
        trial
        for trial in _trials(cases, arguments.settings)
        if arguments.only in trial.name and trial.job.case.name in arguments.slides
    ]
    answers: dict[str, list[str]] = defaultdict(list)
    jobs = [trial.job for trial in trials]
    for trial, found in zip(
        trials, map_processes(outcome_of, jobs, arguments.threads), strict=True
    ):
        answer = answered(trial, found)
        answers[trial.name].append(answer)
        print(
            f"{trial.job.case.name}  {trial.name:26s} {answer:12s} {found.verdict:8s}"
            f"{number(found.p95_um):>8s} um {found.seconds:6.1f} s  {found.message}",
            flush=True,
        )
    _summary(answers)


def gate_plans(folder: Path) -> dict[Path, Plan]:
    """Return the plans of eight slides, by folder."""
    return {
        folder / f"gate{number}": Plan(
            seed=700 + number,
            tissue="skin" if number % 2 else "breast_cancer",
            region_um=(680.0, 600.0),
            overlap="exact",
            quarter_turns=number % 4,
            mirrored=number >= 4,
            angle_deg=2.5 - number,
            um_per_px=0.35,
            look=Look(),
        )
        for number in range(8)
    }


def answered(trial: Trial, found: Outcome) -> str:
    """Return stopped, repaired or passed; in capitals what must not be."""
    if trial.is_mistake:
        if found.is_stopped:
            return "stopped"
        return "repaired" if found.is_right(*_RIGHT_UM) else "WRONG PASS"
    if found.is_stopped:
        return "WRONG STOP"
    return "passed" if found.is_right(*_RIGHT_UM) else "SPOILED"


def _made(item: tuple[Path, Plan]) -> Case:
    folder, plan = item
    return Case(folder) if (folder / "truth.json").exists() else make_simulated(plan, folder)


def _trials(cases: list[Case], settings: str) -> Iterator[Trial]:
    for place, case in enumerate(cases):
        wrong = mistaken(case)
        for name, matrix in (correct(case) | wrong).items():
            yield _trial(case, name, matrix, settings, is_mistake=name in wrong)
        other = cases[(place + 1) % len(cases)]
        matrix = of_another_slide(case, other)
        yield _trial(case, "wrong slide", matrix, settings, is_mistake=True, he=other.he)


def _trial(
    case: Case,
    name: str,
    matrix: Matrix,
    settings: str,
    *,
    is_mistake: bool,
    he: Path | None = None,
) -> Trial:
    folder = case.folder / "found" / "".join(c if c.isalnum() else "_" for c in name)
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "matrix.csv", matrix, delimiter=",")
    job = Job(case, str(folder / "matrix.csv"), folder, settings, he)
    return Trial(name, is_mistake, job)


def _summary(answers: dict[str, list[str]]) -> None:
    print()
    for name, given in answers.items():
        counts = Counter(given)
        print(f"{name:28s}" + ", ".join(f"{n} {answer}" for answer, n in counts.items()))
    bad = sum(answer.isupper() for given in answers.values() for answer in given)
    print(f"wrong answers: {bad} of {sum(map(len, answers.values()))}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path("results/benchmarks/registration_gate")
    parser.add_argument(
        "--cases", type=Path, default=folder, help=f"folder of the cases ({folder})"
    )
    parser.add_argument("--only", default="", help="part of the names of the mistakes")
    parser.add_argument(
        "--slides",
        nargs="+",
        default=[f"gate{number}" for number in range(8)],
        help="names of the slides (all)",
    )
    parser.add_argument("--settings", default="{}", help="of the stage, as JSON")
    parser.add_argument("--threads", type=int, default=2, help="runs at a time (2)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
