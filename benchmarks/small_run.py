"""A small toy run in a folder of its own, for campaigns: started, killed, taken up again, and compared file by file."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[1]
SLIDE = "toy_skin"
WIDTH_UM = 300


class SmallRun:
    """The workflow of this project on one small slide at one scale, in any folder."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.words = ("--workflow-profile", str(ROOT / "profiles/default"), "--cores", "2", *words)
        temporary = folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        paths = {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(temporary)}
        self.environment = os.environ | paths | {"PYTHONUNBUFFERED": "1"}

    def command(self, *words: str) -> list[str]:
        """Return the words of a call of Snakemake."""
        where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        return [sys.executable, "-m", "snakemake", *where, *self.words, *words]

    def start(self, *words: str) -> psutil.Popen:
        """Start Snakemake as the head of a process group."""
        with (self.folder / "run.log").open("a") as log:
            return psutil.Popen(
                self.command(*words),
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end."""
        return subprocess.run(
            self.command(*words),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def finish_or_exit(self, *words: str) -> None:
        """Run Snakemake to its end; end the campaign with its messages if it fails."""
        done = self.finish(*words)
        if done.returncode:
            sys.exit(f"{self.folder}: expected the run to complete\n{done.stdout}{done.stderr}")

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every file under results and resources: runs agree in every byte."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for top in ("results", "resources")
            for path in sorted((self.folder / top).rglob("*"))
            if path.is_file()
        }

    def left_over(self) -> list[Path]:
        """Return hidden drafts, and what lies in the folder for temporary files but Snakemake's own."""
        drafts = [path for top in ("results", "resources") for path in hidden(self.folder / top)]
        temporary = (self.folder / "tmp").iterdir()
        return drafts + [path for path in temporary if not path.name.startswith("snakemake")]


def hidden(folder: Path) -> Iterator[Path]:
    """Yield the files and folders whose names start with a dot."""
    return (path for path in folder.rglob(".*") if path.exists())


def write_small_run(folder: Path, width_um: float | None = WIDTH_UM) -> SmallRun:
    """Write the configuration of a small run into a new folder; None for the width leaves the slide as it is shipped."""
    project = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    size = {"width_um": width_um, "height_um": width_um} if width_um else {}
    recipe = project["simulate"][SLIDE] | size
    config = {
        "scales": {"40x": "native"},
        "formats": ["pannuke", "qupath"],
        "simulate": {SLIDE: recipe},
    }
    (folder / "config").mkdir(parents=True)
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    for sheet in ("slides.tsv", "references.tsv"):
        head, *rows = (ROOT / "config" / sheet).read_text().splitlines()
        kept = [row for row in rows if row.startswith(SLIDE)]
        (folder / "config" / sheet).write_text("\n".join([head, *kept]) + "\n")
    return SmallRun(folder)


def jobs(run: psutil.Popen) -> dict[psutil.Process, str]:
    """Return the processes that are at a stage now, and its name."""
    found = {}
    for process in descendants(run):
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if len(words) > 2 and words[1].endswith("sthelar-build"):
            found[process] = words[2]
    return found


def descendants(run: psutil.Popen) -> list[psutil.Process]:
    """Return the processes that a run has started and that live."""
    try:
        return list(run.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def kill(run: psutil.Popen, *, alone: bool = False) -> None:
    """Send SIGKILL to all that a run has started at once, as a power cut does; ``alone``, to Snakemake only."""
    others = [] if alone else descendants(run)
    run.send_signal(signal.SIGSTOP)
    for process in [*others, *([] if alone else descendants(run)), run]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    run.wait()
