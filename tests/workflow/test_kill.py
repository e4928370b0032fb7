"""A run that is killed leaves nothing half-written behind, and the next one finishes its work."""

import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
import spatialdata

from workflow import golden
from workflow.clones import Clone

pytestmark = pytest.mark.workflow

STORE = "results/toy_breast/sdata_toy_breast.zarr"
PATCHES = "results/dataset/20x/pannuke"
TARGETS = (f"{STORE}/zarr.json", f"{PATCHES}/manifest.json")


@pytest.fixture(scope="module")
def killed(built, tmp_path_factory):
    """A copy of the built slides in which a run with another number is killed while it writes the zarr."""
    folder = tmp_path_factory.mktemp("killed") / "clone"
    shutil.copytree(built.folder, folder, ignore=shutil.ignore_patterns(".git", ".venv"))
    clone = Clone(folder)
    run = subprocess.Popen(
        clone.command(*TARGETS, "--config", "rasterise={'min_visible_px': 3}"),
        cwd=folder,
        env=clone.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    started = time.monotonic()
    while not half_written(clone) and run.poll() is None and time.monotonic() - started < 300:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return clone


def half_written(clone):
    return list((clone.folder / STORE).parent.glob(".sdata_toy_breast.zarr.*/*.zarr/*"))


def digests(clone):
    return {
        slide: golden.digests(clone.folder / "results", slide)
        for slide in ("toy_breast", "toy_skin", "toy_auto")
    }


def arrays(clone):
    with np.load(clone.folder / PATCHES / "toy_breast.npz") as file:
        return {name: file[name] for name in file.files}


def test_a_killed_run_is_taken_up_again(built, killed):
    assert half_written(killed)
    # Of other slides some files may be gone for the moment: their jobs were at work, too.
    before, now = (golden.digests(c.folder / "results", "toy_breast") for c in (built, killed))
    assert now != before, "expected the kill to come after some new masks"
    locked = killed.snakemake(*TARGETS)
    assert locked.returncode == 1
    assert "--unlock" in locked.stdout + locked.stderr
    assert killed.snakemake("--unlock").returncode == 0

    again = killed.snakemake(*TARGETS)
    assert again.returncode == 0, again.stdout + again.stderr
    assert digests(killed) == digests(built)
    expected, found = arrays(built), arrays(killed)
    assert expected.keys() == found.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
    squares = [spatialdata.read_zarr(c.folder / STORE)["he_patches"] for c in (built, killed)]
    assert squares[0].equals(squares[1])


def test_nothing_hidden_is_left_of_it(killed):
    assert list((killed.folder / "results").rglob(".*")) == []
