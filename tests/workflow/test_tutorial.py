"""The tutorial runs from its first line to its last, and prints what it says."""

import re
import shutil
import subprocess
import sys

import pytest

from workflow.clones import ROOT, clean_clone
from workflow.test_curation import planned

pytestmark = pytest.mark.workflow

TEXT = (ROOT / "docs" / "tutorial.md").read_text()
STEPS = re.findall(r"```(python|bash)\n(.*?)```(?:\n\n```text\n(.*?)```)?", TEXT, flags=re.DOTALL)
SHOWN = re.findall(r"```text\n", TEXT)


@pytest.fixture(scope="module")
def copy(built, tmp_path_factory):
    """A clone that has all built slides, one of them to be changed."""
    clone = clean_clone(tmp_path_factory.mktemp("tutorial"))
    # The shipped network is an input: in another folder it would be another one.
    clone.environment["PYTHONPATH"] = str(built.folder / "src")
    (clone.folder / "resources").symlink_to(built.folder / "resources")
    (clone.folder / "results").mkdir()
    for name in ("toy_skin", "toy_auto", "dataset"):
        (clone.folder / "results" / name).symlink_to(built.folder / "results" / name)
    shutil.copytree(built.folder / "results/toy_breast", clone.folder / "results/toy_breast")
    shutil.copytree(built.folder / ".snakemake/metadata", clone.folder / ".snakemake/metadata")
    return clone


def done(clone, kind, code):
    command = [sys.executable, "-c", code] if kind == "python" else ["bash", "-euc", code]
    return subprocess.run(
        command,
        cwd=clone.folder,
        env=clone.environment | {"HF_HUB_OFFLINE": "1", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tutorial_runs_and_prints_what_it_says(copy):
    assert len(SHOWN) == sum(bool(text) for *_, text in STEPS)
    for kind, code, text in STEPS:
        found = done(copy, kind, code)
        assert found.returncode == 0, code + found.stderr
        if text:
            assert found.stdout == text, code
    assert (copy.folder / "patch.png").is_file()
    plan = planned(copy.snakemake("--dry-run"))
    left = {rule for rule, slide in plan if slide in ("toy_breast", None)}
    assert left == {"assemble", "collect", "export", "export_slides", "describe", "all"}


def test_what_the_tutorial_does_not_run_is_there():
    assert "\ntoy:" in (ROOT / "Makefile").read_text()
    assert "make toy" in (ROOT / ".ci/run").read_text()
