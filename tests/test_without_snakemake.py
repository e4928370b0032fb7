"""The script of docs/without_snakemake.md gives every command what it takes, and no command a file that is not yet made."""

import inspect
import typing
from importlib import import_module
from pathlib import Path

import pytest

from stage_script import VALUES, commands_of_page
from sthelar_build import options
from sthelar_build.stages import STAGES

RAW = ("XENIUM", "HE", "ALIGNMENT", "ATLAS", "SHEET", "NETWORK")
ON_REQUEST = {
    "resegment", "gather", "gather_predictions", "embed", "train", "evaluate", "compare",
}  # fmt: skip
READ = (options.InFile, options.InFiles, options.MaybeInFile, options.MaybeInFiles)
MADE = (options.OutFile, options.MaybeOutFile)


@pytest.mark.parametrize(("stage", "given"), commands_of_page())
def test_a_command_is_given_what_it_needs_and_nothing_unknown(stage, given):
    parameters = inspect.signature(import_module(f"sthelar_build.stages.{stage}").run).parameters
    needed = {n for n, p in parameters.items() if p.default is inspect.Parameter.empty}
    assert needed <= {name for name, _ in given} <= parameters.keys()


def test_every_stage_that_is_not_made_on_request_has_its_command():
    assert {stage for stage, _ in commands_of_page()} == set(STAGES) - ON_REQUEST


def test_every_file_is_made_before_it_is_read():
    made = {VALUES[name] for name in RAW}
    for stage, given in commands_of_page():
        run = import_module(f"sthelar_build.stages.{stage}").run
        kinds = typing.get_type_hints(run, include_extras=True)
        for name, path in given:
            folders = {path, str(Path(path).parent)}
            assert kinds[name] not in READ or folders & made, f"{stage}: {path} is not made yet"
        made |= {path for name, path in given if kinds[name] in MADE}
