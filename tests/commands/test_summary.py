"""The last words of a run: few, and of what is there."""

import json

import pytest
import typer
from typer.testing import CliRunner

from slides.raw_slide import ROW, write_sheets
from sthelar_build.commands import summary

app = typer.Typer()
app.command()(summary.run)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_sheets(tmp_path, ROW)
    return tmp_path


def said(*words):
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.output.strip().splitlines()


def test_before_anything_is_made_it_says_so():
    assert said() == ["0 of 1 slides are finished:", "  own: not finished"]


def test_what_failed_is_told_with_its_log_and_what_to_do(here):
    (here / "run.log").write_text(
        "Error in rule preflight:\n    jobid: 1\n    log: logs/own/preflight.log (check log file(s))\n"
    )
    (here / "logs/own").mkdir(parents=True)
    (here / "logs/own/preflight.log").write_text("error: he.tif: expected an image; check it\n")
    lines = said("--log", "run.log")
    assert lines[2:5] == [
        "1 job failed:",
        "  own, preflight: he.tif: expected an image; check it",
        "    log: logs/own/preflight.log",
    ]


def test_results_that_cannot_be_read_do_not_hide_the_rest(here):
    (here / "results/own").mkdir(parents=True)
    (here / "results/own/report.html").touch()
    lines = said()
    assert lines[0] == "0 of 1 slides are finished:"
    assert lines[1].startswith("  own: results/own/transform.json: expected")


def test_the_workflow_hands_over_its_configuration(here):
    (here / "config/slides.tsv").rename(here / "elsewhere.tsv")
    values = json.dumps({"slides": "elsewhere.tsv", "register": {"on_fail": "use_auto"}})
    assert said("--values", values)[0] == "0 of 1 slides are finished:"
