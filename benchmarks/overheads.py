"""Seconds that pass before any work: planning 31 slides, a run with nothing to do, the start of every command.

Planning takes place in a temporary folder with sheets of slides whose files are empty. The run with nothing to do is that of
``--toy``, a folder that holds a finished toy run (this one by default; left out where it holds none). A command is started with
``--help``, which loads all that its stage loads before it works. Where Slurm's client is installed and no controller answers,
Snakemake's plugin for Slurm waits 9 s for it, whatever the executor: such figures are marked, ``--without-slurm`` hides the
client's configuration from them, and so may you (``SLURM_CONF=/dev/null``).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figure, add_figures, add_json

from sthelar_build.stages import STAGES

ROOT = Path(__file__).parents[1]
SLIDES = "slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\tpredictions\n"
ATLASES = "reference\tpath\tlabel_key\tlayer\tlabel_map\n"
CONFIG = "slides: slides.tsv\nreferences: references.tsv\n"
FIGURES: list[Figure] = []
GOALS_S = {"plan": 12.0, "nothing to do": 6.0, "--help": 0.5, "stage": 2.5}


def main() -> None:
    arguments = _arguments()
    environment = _environment(arguments.without_slurm)
    if _controller_is_silent(environment):
        print(
            "Slurm's client finds no controller: some 9 s of the figures of snakemake are its wait"
        )
    print(f"{'':34}{'best s':>8}{'CPU s':>8}{'goal s':>8}")
    with tempfile.TemporaryDirectory() as folder:
        write_slides(Path(folder), arguments.slides)
        command = [
            *SNAKEMAKE,
            "--snakefile",
            str(ROOT / "Snakefile"),
            "--dry-run",
            "--quiet",
            "all",
        ]
        name = f"snakemake -n, {arguments.slides} slides"
        _row(name, command, "plan", arguments.repeats, environment, Path(folder))
    if (arguments.toy / "results/dataset").is_dir():
        _finish(arguments.toy, environment)
        name = "snakemake, nothing to do"
        _row(name, SNAKEMAKE, "nothing to do", arguments.repeats, environment, arguments.toy)
    cli = [sys.executable, "-m", "sthelar_build"]
    _row("sthelar-build --help", [*cli, "--help"], "--help", arguments.repeats, environment, ROOT)
    for stage in STAGES:
        command = [*cli, stage, "--help"]
        _row(f"sthelar-build {stage}", command, "stage", arguments.repeats, environment, ROOT)
    add_figures(arguments.json, FIGURES)


SNAKEMAKE = [sys.executable, "-m", "snakemake", "--cores", "2"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=int, default=31, help="slides that are planned (31)")
    parser.add_argument("--toy", type=Path, default=ROOT, help="folder of a finished toy run")
    parser.add_argument("--repeats", type=int, default=3, help="the best counts (3)")
    parser.add_argument("--without-slurm", action="store_true", help="hide Slurm's configuration")
    add_json(parser)
    return parser.parse_args()


def _environment(without_slurm: bool) -> dict[str, str]:
    path = {"PYTHONPATH": str(ROOT / "src")}
    return os.environ | path | ({"SLURM_CONF": os.devnull} if without_slurm else {})


def _controller_is_silent(environment: dict[str, str]) -> bool:
    if not shutil.which("scontrol") or environment.get("SLURM_CONF") == os.devnull:
        return False
    asked = subprocess.run(["scontrol", "ping"], env=environment, capture_output=True, check=False)
    return asked.returncode != 0


def write_slides(folder: Path, number: int) -> None:
    """Write a configuration with so many slides of one atlas, all of whose files are empty."""
    rows = []
    for slide in (f"slide_{n:02}" for n in range(1, number + 1)):
        (folder / slide).mkdir()
        (folder / slide / "experiment.xenium").touch()
        (folder / f"{slide}.ome.tif").touch()
        columns = (slide, slide, "skin", "cancer", slide, f"{slide}.ome.tif", "auto", "atlas", "")
        rows.append("\t".join(columns))
    (folder / "atlas.h5ad").touch()
    (folder / "slides.tsv").write_text(SLIDES + "\n".join(rows) + "\n")
    (folder / "references.tsv").write_text(f"{ATLASES}atlas\tatlas.h5ad\tcell_type\t\t\n")
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(CONFIG)


def _finish(toy: Path, environment: dict[str, str]) -> None:
    """Build what the toy run lacks, so that the next run has nothing to do."""
    subprocess.run(SNAKEMAKE, cwd=toy, env=environment, capture_output=True, check=True)


def _row(
    name: str,
    command: list[str],
    goal: str,
    repeats: int,
    environment: dict[str, str],
    folder: Path,
) -> None:
    spent = [_seconds(command, environment, folder) for _ in range(repeats)]
    best, cpu = min(wall for wall, _ in spent), min(cpu for _, cpu in spent)
    late = "  late" if best > GOALS_S[goal] else ""
    print(f"{name:34}{best:8.2f}{cpu:8.2f}{GOALS_S[goal]:8.1f}{late}", flush=True)
    FIGURES.append(
        Figure(
            "start-up",
            name,
            "s",
            best,
            GOALS_S[goal],
            "goal",
            is_limit=True,
            note=f"{cpu:.2f} s of CPU",
        )
    )


def _seconds(command: list[str], environment: dict[str, str], folder: Path) -> tuple[float, float]:
    """Return the seconds that passed, and those of the processor, which do not grow with other work on the machine."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    passed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return passed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
