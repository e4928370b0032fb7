"""The script of docs/without_snakemake.md has the commands that Snakemake runs for its slide."""

import inspect
from importlib import import_module

import pytest
from small_run import ROOT, write_small_run

from stage_script import commands, commands_of_page
from sthelar_build.config import Config
from sthelar_build.settings.report import VerdictLimits
from sthelar_build.settings.simulate import SimulateSettings

pytestmark = pytest.mark.workflow


def meaning(command):
    """Return what a command is told that leaving it out would not tell; cores do not matter."""
    stage, given = command
    parameters = inspect.signature(import_module(f"sthelar_build.stages.{stage}").run).parameters
    told = {(name, value) for name, value in given if value != parameters[name].default}
    return stage, frozenset((n, read(stage, n, value)) for n, value in told if n != "threads")


def read(stage, name, value):
    """Return settings with their defaults, and files of the project by their place in it."""
    if name == "limits":
        return VerdictLimits.model_validate_json(value).model_dump_json()
    if not name.endswith("settings"):
        return value.removeprefix(f"{ROOT}/")
    of = name.removesuffix("settings").removesuffix("_") or stage
    model = SimulateSettings if of == "simulate" else type(Config().settings_of(of))
    return model.model_validate_json(value).model_dump_json()


def test_the_script_of_the_page_is_what_snakemake_runs(tmp_path):
    run = write_small_run(tmp_path / "run", width_um=None)
    done = run.finish("--dry-run", "--printshellcmds")
    plan = done.stdout + done.stderr
    assert done.returncode == 0, plan
    of_page, of_snakemake = map(meaning, commands_of_page()), map(meaning, commands(plan))
    assert set(of_page) == set(of_snakemake)
