"""The script of docs/without_snakemake.md has the commands that Snakemake runs for its slide."""

import inspect
from importlib import import_module

import pytest
from small_run import ROOT, write_small_run

from stage_script import commands, commands_of_page
from sthelar_build.config import Config
from sthelar_build.settings.simulate import SimulateSettings

pytestmark = pytest.mark.workflow


def meaning(command):
    """Return what a command is told that is not told by leaving it out, files of the project by their name in it; cores do not matter."""
    stage, given = command
    parameters = inspect.signature(import_module(f"sthelar_build.stages.{stage}").run).parameters
    model = SimulateSettings if stage == "simulate" else type(Config().settings_of(stage))
    told = frozenset(
        (name, value.removeprefix(f"{ROOT}/"))
        for name, value in given
        if name not in ("settings", "threads") and value != parameters[name].default
    )
    return stage, told, model.model_validate_json(dict(given)["settings"]).model_dump_json()


def test_the_script_of_the_page_is_what_snakemake_runs(tmp_path):
    run = write_small_run(tmp_path / "run", width_um=None)
    done = run.finish("--dry-run", "--printshellcmds")
    plan = done.stdout + done.stderr
    assert done.returncode == 0, plan
    of_page, of_snakemake = map(meaning, commands_of_page()), map(meaning, commands(plan))
    assert set(of_page) == set(of_snakemake)
