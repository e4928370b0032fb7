"""Help, exit status, and errors on one line."""

import os
import re
import subprocess
import sys

import pytest

from sthelar_build.commands import COMMANDS
from sthelar_build.stages import STAGES


def sthelar_build(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sthelar_build", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100", **environment},
    )


def test_help_lists_what_people_call_and_then_every_stage_in_pipeline_order():
    text = sthelar_build("--help").stdout
    places = [text.index(f"│ {command} ") for command in (*COMMANDS, *STAGES)]
    assert places == sorted(places)


def test_help_says_what_every_stage_does_and_loads_none():
    done = sthelar_build("--help", COLUMNS="300", PYTHONPROFILEIMPORTTIME="1")
    assert "Cut the H&E of a slide into a grid of patches at one scale." in done.stdout
    assert "sthelar_build.cli" in done.stderr
    assert not re.search(r"sthelar_build\.(stages|commands)\.|numpy|pandas", done.stderr)


def test_the_start_of_a_stage_loads_nothing_that_takes_half_a_second():
    code = "import sys, importlib\n" + "".join(
        f"importlib.import_module('sthelar_build.stages.{stage}')\n" for stage in STAGES
    )
    slow = ("torch", "transformers", "igraph", "matplotlib.pyplot", "scanpy", "sklearn", "umap")
    code += f"print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_stage_is_refused():
    done = sthelar_build("tyle")
    assert done.returncode == 2
    assert "No such command 'tyle'" in done.stderr


@pytest.mark.parametrize(
    ("command", "option"),
    [("tile", "--settings"), ("count", "--settings"), ("doctor", "--slide"), ("add-slide", "--he")],
)
def test_a_command_explains_its_options(command, option):
    assert option in sthelar_build(command, "--help").stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [("doc", "doctor"), ("tile --sc", "--scale"), ("doctor --slide toy_b", "toy_breast")],
)
def test_the_shell_completes_commands_options_and_slides(words, offered, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/slides.tsv").write_text("slide\tpatient\ntoy_breast\tp\ntoy_skin\tp\n")
    done = subprocess.run(
        ["sthelar-build"],
        cwd=tmp_path,
        env=os.environ
        | {
            "_STHELAR_BUILD_COMPLETE": "complete_bash",
            "COMP_WORDS": f"sthelar-build {words}",
            "COMP_CWORD": str(len(words.split())),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [offered]


def test_a_missing_input_is_one_line_and_exit_status_1(tmp_path):
    patches = tmp_path / "patches.parquet"
    done = sthelar_build(
        "tile", "--he", "absent.tif", "--transform", "absent.json", "--transcripts", "absent.parquet",
        "--scale", "native", "--patches", str(patches), "--settings", "{}",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "error: absent.tif: expected an input file, found nothing; check the path\n"
    )
    assert not patches.exists()


def test_an_unknown_setting_is_named(tmp_path):
    present = tmp_path / "present"
    present.write_text("{}")
    done = sthelar_build(
        "tile", "--he", str(present), "--transform", str(present), "--transcripts", str(present),
        "--scale", "native", "--patches", str(tmp_path / "out"), "--settings", '{"side_pxx": 256}',
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "side_pxx" in done.stderr


def test_the_developer_can_ask_for_the_traceback():
    done = sthelar_build(
        "tile", "--he", "absent.tif", "--transform", "x", "--transcripts", "z", "--scale", "native",
        "--patches", "y", "--settings", "{}", STHELAR_DEBUG="1",
    )  # fmt: skip
    assert "Traceback" in done.stderr


def test_what_people_call_prints_its_lines_and_no_log(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("{}")
    done = subprocess.run(
        [sys.executable, "-m", "sthelar_build", "doctor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "problem  sheet of slides: config/slides.tsv" in done.stdout
