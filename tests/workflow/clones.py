"""Copies of the project in which Snakemake runs."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Clone:
    """A folder with the files of the project, in which Snakemake runs the code of that folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"PYTHONPATH": str(folder / "src")}

    def command(self, *words: str) -> list[str]:
        return ["snakemake", "--cores", "2", *words]

    def snakemake(self, *words: str, timeout_s: float = 900) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )


def clean_clone(folder: Path) -> Clone:
    """Copy the files under version control, and nothing else."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return Clone(folder)
