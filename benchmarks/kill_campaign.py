"""Kill the toy workflow with SIGKILL at many moments, and see whether it completes with the same files, byte by byte.

First an undisturbed run in a folder of its own. Then, in another, one run is killed in every stage that it comes to, as far into
it as chance says; then at moments drawn at random, until ``--kills`` are reached, or ``--minutes`` have passed. After each, ``snakemake --unlock`` and the same
command again. A run that has completed is compared, and begun afresh while kills are left. One kill in five is of
Snakemake alone: its jobs live on beside those of the next run. A kill counts as survived if the run that it belongs to
completed with the files of the undisturbed one, and left no draft behind.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from small_run import SmallRun, jobs, kill, write_small_run

from sthelar_build.stages import STAGES

ALONE = 0.2
"""Share of the kills that Snakemake gets alone."""


@dataclass(frozen=True)
class _Left:
    """How many kills are left, and until when."""

    kills: int
    deadline_s: float

    def after(self, done: int) -> bool:
        return done < self.kills and time.monotonic() < self.deadline_s


def main() -> None:
    arguments = _arguments()
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        undisturbed = (
            SmallRun(arguments.finished)
            if arguments.finished
            else write_small_run(Path(folder) / "undisturbed")
        )
        start = time.monotonic()
        undisturbed.finish_or_exit()
        print(f"undisturbed: {time.monotonic() - start:.0f} s", flush=True)
        aims = _seconds_of_stages(undisturbed)
        tried = survived = number = 0
        deadline_s = time.monotonic() + 60 * arguments.minutes
        while (left := _Left(arguments.kills - tried, deadline_s)).after(0):
            number += 1
            run = write_small_run(Path(folder) / f"round_{number}")
            # A stage that was never seen at work in the first round is not waited for in the others.
            aims = aims if number == 1 else {}
            kills = _round(run, aims, left, arguments.window_s, rng)
            good = _same(undisturbed, run)
            tried, survived = tried + kills, survived + kills * good
            said = "same files" if good else "not the same"
            print(f"round {number}: {kills} kills, {said}", flush=True)
            shutil.rmtree(run.folder)
        print(f"kills tried {tried}, survived {survived}, seed {arguments.seed}", end=", ")
        print(f"files compared {len(undisturbed.digests())}")
    sys.exit(tried != survived)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40, help="how many (40)")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="no kill is begun after so many (no limit)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    parser.add_argument(
        "--window-s", type=float, default=30, help="latest random moment, in s (30)"
    )
    parser.add_argument(
        "--finished", type=Path, help="a finished run of the same code (one is made)"
    )
    parser.add_argument("--folder", type=Path, help="where the runs take place (a temporary one)")
    return parser.parse_args()


def _seconds_of_stages(run: SmallRun) -> dict[str, float]:
    """Return how long the longest job of every stage took, in the order of the pipeline."""
    took: dict[str, float] = {}
    for stage in STAGES:
        for table in run.folder.glob(f"logs/*/{stage}*.tsv"):
            seconds = float(table.read_text().splitlines()[1].split("\t")[0])
            took[stage] = max(seconds, took.get(stage, 0))
    return took


def _round(
    run: SmallRun, aims: dict[str, float], left: _Left, window_s: float, rng: np.random.Generator
) -> int:
    """Kill one run again and again, at every aim and then anywhere, until it completes; return how often."""
    done, orphans = 0, []
    while left.after(done):
        process = run.start()
        aim = _stage_seen(process, aims)
        time.sleep(rng.uniform(0, aims.pop(aim) if aim else window_s))
        if process.poll() is not None:
            if process.returncode == 0:
                break
            # A job that outlived its Snakemake may still be at the same work: the next one is refused.
            _wait_for(orphans, run)
            continue
        alone = bool(rng.random() < ALONE)
        at_work = jobs(process)
        kill(process, alone=alone)
        orphans = list(at_work) if alone else orphans
        done += 1
        whom = "Snakemake alone" if alone else "everything"
        print(
            f"  {whom}, aimed at {aim or 'any moment'}, at work: {sorted(at_work.values())}",
            flush=True,
        )
        run.finish("--unlock")
    psutil.wait_procs(orphans)
    run.finish_or_exit()
    return done


def _stage_seen(process: psutil.Popen, aims: dict[str, float]) -> str | None:
    """Wait for a job of a stage that is aimed at; None if there is no aim, or the run ends before."""
    while aims and process.poll() is None:
        if aim := next((stage for stage in jobs(process).values() if stage in aims), None):
            return aim
        time.sleep(0.05)
    return None


def _wait_for(orphans: list[psutil.Process], run: SmallRun) -> None:
    if not orphans:
        sys.exit(f"{run.folder}/run.log: expected the run to go on, found that it failed")
    psutil.wait_procs(orphans)
    orphans.clear()


def _same(undisturbed: SmallRun, run: SmallRun) -> bool:
    """Compare all files, and say what differs or was left over."""
    expected, found = undisturbed.digests(), run.digests()
    names = expected.keys() | found.keys()
    wrong = sorted(name for name in names if expected.get(name) != found.get(name))
    for name in [*wrong, *map(str, run.left_over())]:
        print(f"  expected the same as undisturbed, and nothing left over, found {name}")
    return not wrong and not run.left_over()


if __name__ == "__main__":
    main()
