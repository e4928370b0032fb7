"""A stage or a format is wired in everywhere, or nowhere."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
import yaml

from sthelar_build.commands import COMMANDS, module_of
from sthelar_build.config import Config, ExportFormat
from sthelar_build.settings.base import Settings
from sthelar_build.stages import STAGES

ROOT = Path(__file__).parents[1]
RULES = ROOT / "workflow" / "rules"


def test_every_rule_file_but_common_is_a_stage_and_every_stage_has_one():
    assert {path.stem for path in RULES.glob("*.smk")} == {*STAGES, "common"}


def test_every_stage_module_is_listed():
    modules = {path.stem for path in (ROOT / "src/sthelar_build/stages").glob("*.py")}
    assert modules == {*STAGES, "__init__"}


def test_the_slurm_profile_gives_cores_to_every_rule_that_can_use_them():
    # A rule that is left out has one core there, whatever the node has.
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    threaded = {rule.stem for rule in RULES.glob("*.smk") if "threads: " in rule.read_text()}
    assert set(profile["set-threads"]) == threaded


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_people_call_has_a_module_a_test_and_a_word_in_the_documentation(command):
    module = import_module(f"sthelar_build.commands.{module_of(command)}")
    assert callable(module.run)
    assert (ROOT / "tests" / "commands" / f"test_{module_of(command)}.py").is_file()
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(f"sthelar-build {command}" in page.read_text() for page in pages)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_rule_settings_test_log_and_include(stage):
    rule = (RULES / f"{stage}.smk").read_text()
    assert f"rule {stage}:" in rule
    assert f"sthelar-build {stage} " in rule
    assert re.search(rf'"logs/.*{stage}.*\.log"', rule)
    assert f'include: "workflow/rules/{stage}.smk"' in (ROOT / "Snakefile").read_text()
    assert (ROOT / "tests" / "stages" / f"test_{stage}.py").is_file()
    if stage != "simulate":
        assert isinstance(Config().settings_of(stage), Settings)


@pytest.mark.parametrize("stage", STAGES)
def test_the_settings_of_a_stage_are_in_the_module_of_its_name(stage):
    settings = import_module(f"sthelar_build.settings.{stage}")
    name = "".join(word.capitalize() for word in stage.split("_")) + "Settings"
    assert issubclass(vars(settings)[name], Settings)


@pytest.mark.parametrize("stage", STAGES)
def test_a_rule_gives_the_options_that_its_command_takes(stage):
    run = import_module(f"sthelar_build.stages.{stage}").run
    parameters = inspect.signature(run).parameters
    known = {name.replace("_", "-") for name in parameters}
    needed = {
        name.replace("_", "-")
        for name, parameter in parameters.items()
        if parameter.default is inspect.Parameter.empty and name != "settings"
    }
    text = (RULES / f"{stage}.smk").read_text()
    given = set(re.findall(r"--([a-z-]+)", text))
    given |= set(re.findall(r'(?:option|repeated|made)\("([a-z-]+)"', text))
    assert given <= known
    assert needed <= given


def test_every_format_is_an_exporter_with_a_test():
    modules = {path.stem for path in (ROOT / "src/sthelar_build/exporters").glob("*.py")}
    assert modules == {*get_args(ExportFormat), "__init__"}
    for name in get_args(ExportFormat):
        assert (ROOT / "tests" / "exporters" / f"test_{name}.py").is_file()


def _modules(layer: str) -> list[str]:
    folder = ROOT / "src/sthelar_build" / layer
    return [
        str(path.relative_to(ROOT / "src/sthelar_build").with_suffix(""))
        for path in sorted(folder.rglob("*.py"))
        if path.stem != "__init__"
    ]


@pytest.mark.parametrize(
    "module",
    [m for layer in ("schema", "core", "io", "adapters", "exporters") for m in _modules(layer)],
)
def test_every_module_has_a_test_file(module):
    path = Path(module)
    assert (ROOT / "tests" / path.parent / f"test_{path.name}.py").is_file()


def test_every_module_says_what_it_is():
    for path in (ROOT / "src").rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path
