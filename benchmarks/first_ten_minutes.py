"""The path of a stranger, timed: clone, make toy, open a report, change one label in it, run again.

Works in a new folder (``--folder``), from a clone of this repository as it is committed. The label is changed in the page, in
headless Chromium, as a person would: a cluster is chosen, called something else, and the table is downloaded into
``config/curation``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from browser import opened, wait_until

_REPOSITORY = Path(__file__).resolve().parents[1]
_SLIDE = "toy_breast"
_DRAWN = "performance.getEntriesByName('viewer-drawn').length > 0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="a new folder")
    folder: Path = parser.parse_args().folder
    took: dict[str, float] = {}
    with _timed(took, "clone"):
        _run(["git", "clone", "--quiet", str(_REPOSITORY), str(folder)], Path.cwd())
    with _timed(took, "install (make .venv)"):
        _run(["make", ".venv"], folder)
    with _timed(took, "make toy"):
        _run(["make", "toy"], folder)
    before = pd.read_parquet(folder / f"results/{_SLIDE}/labels.parquet")
    page = folder / f"results/{_SLIDE}/report.html"
    took["open the report, to the first picture"] = _decide(page, folder / "config/curation")
    with _timed(took, "run again (make toy)"):
        _run(["make", "toy"], folder)
    after = pd.read_parquet(folder / f"results/{_SLIDE}/labels.parquet")
    changed = int((before["label2"] != after["label2"]).sum())
    with _timed(took, "a third make toy, with nothing to do"):
        _run(["make", "toy"], folder)
    print(pd.Series(took).round(1).to_string())
    print(f"{changed} cells of {len(after)} have another label")


def _decide(page_file: Path, curation: Path) -> float:
    """Call the largest cluster mast cells, in the page; return the seconds until the page showed a picture."""
    with opened(page_file, 1400, 900) as page:
        wait_until(page, _DRAWN)
        drawn = page.evaluate("performance.getEntriesByName('viewer-drawn')[0].startTime")
        page.select_option("#decide select[name=cluster]", index=1)
        for name, text in {"label": "Mast", "who": "A. Stranger", "why": "to see"}.items():
            page.fill(f"#decide input[name={name}]", text)
        page.click("#decide button[type=submit]")
        with page.expect_download() as download:
            page.click("[data-review=download]")
        shutil.copy(download.value.path(), curation / f"{_SLIDE}.tsv")
    return float(drawn) / 1000


@contextmanager
def _timed(took: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    took[step] = time.perf_counter() - start


def _run(command: list[str], folder: Path) -> None:
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    main()
