"""Disks that are full, places that cannot be written, and commands that are stopped: one line, and no scratch."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bad_input.refusals import assert_one_line, contents, words

LIMIT_BYTES = 30_000


def run_limited(*command):
    """Run a command in a process whose files may not grow beyond the limit, as on a full disk."""
    done = subprocess.run(
        [sys.executable, "-m", "sthelar_build", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, LIMIT_BYTES)),
    )
    return done.returncode, done.stderr


def counting(toy, out):
    r = toy.results
    options = {name: r / f"{name}.parquet" for name in ("nuclei", "cells", "transcripts")}
    made = {f"counts-{table}": out / f"counts_{table}.h5ad" for table in ("nuclei", "cells")}
    return words("count", {**options, "bundle": r / "bundle.json", **made, "settings": "{}"})


def simulating(slide, toy):
    recipe = toy.recipe.model_dump_json()
    return words("simulate", {"slide": "toy", "out": slide.out / "toy", "settings": recipe})


WRITERS = {
    "parquet": lambda slide, toy: slide.ingest(),
    "h5ad": lambda slide, toy: counting(toy, slide.out),
    "tiff": simulating,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_is_said_and_leaves_nothing(slide, counted_toy, kind):
    status, said = run_limited(*WRITERS[kind](slide, counted_toy))
    assert_one_line(status, said, f"{slide.out}/", "File too large", "run again")
    assert not any(path.is_file() for path in slide.out.rglob("*")), contents(slide.out)


def test_a_target_below_a_file_is_refused(slide):
    slide.out.write_text("a file")
    status, said = slide.run(*slide.preflight())
    assert_one_line(status, said, str(slide.out), "a file stands where a folder is needed")
    assert slide.out.read_text() == "a file"


def test_a_target_in_a_place_that_takes_no_folders_is_refused(slide):
    place = Path("/proc/1/x")
    if not place.parent.is_dir():
        pytest.skip("there is no such place on this machine")
    status, said = slide.run(*slide.preflight(out=place / "preflight.json"))
    assert_one_line(status, said, "/proc/1/x/preflight.json", "write elsewhere")


def test_a_target_in_such_a_place_itself_is_refused(slide):
    if not Path("/proc/1").is_dir():
        pytest.skip("there is no such place on this machine")
    status, said = slide.run(*slide.preflight(out="/proc/1/preflight.json"))
    assert_one_line(status, said, "/proc/1/preflight.json")


def test_a_folder_where_a_file_is_to_be_written_is_refused(slide):
    (slide.out / "preflight.json").mkdir(parents=True)
    slide.is_refused(slide.preflight(), "preflight.json", "a folder stands where a file is needed")


def test_a_name_that_is_too_long_is_refused(slide):
    slide.out.mkdir()
    slide.is_refused(slide.preflight(out=slide.out / ("x" * 300)), "xxx", "shorter")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("what", ["raw/he_image.ome.tif", "raw/xenium/cells.parquet"])
def test_a_file_that_may_not_be_read_is_named(slide, what):
    path = slide.raw.parent / what
    path.chmod(0)
    slide.is_refused(slide.preflight(), path.name)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_named(slide):
    slide.out.mkdir(mode=0o500)
    slide.is_refused(slide.preflight(), str(slide.out), "permission")


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs a mount of its own"
)
def test_a_read_only_disk_is_said(slide):
    slide.out.mkdir()
    command = [sys.executable, "-m", "sthelar_build", *map(str, slide.preflight())]
    mounted = f'mount -t tmpfs -o ro none {slide.out} || exit 77; exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, "sh", *command],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        pytest.skip("mounting is not allowed here")
    assert_one_line(done.returncode, done.stderr, str(slide.out), "Read-only")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_stopped_leaves_no_scratch_and_no_traceback(slide, number):
    run = subprocess.Popen(
        [sys.executable, "-m", "sthelar_build", *map(str, slide.ingest())],
        stderr=subprocess.PIPE,
        text=True,
    )
    while run.poll() is None and not list(slide.out.glob(".*/*")):
        time.sleep(0.001)
    run.send_signal(number)
    said = run.communicate()[1]
    assert run.returncode == 128 + number, said
    assert said.rstrip().endswith(f"stopped by {number.name}: nothing half-written is left")
    assert "Traceback" not in said
    assert contents(slide.out) == {}
