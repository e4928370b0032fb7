"""The script of docs/without_snakemake.md gives every command what it takes, and no command a file that is not yet made."""

import inspect
import re
import shlex
import typing
from importlib import import_module
from pathlib import Path

import pytest

from sthelar_build import options
from sthelar_build.stages import STAGES

PAGE = (Path(__file__).parents[1] / "docs" / "without_snakemake.md").read_text()
SCRIPT = re.search(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)[1].replace("\\\n", " ")
VALUES = dict(re.findall(r"\b([A-Z_]+)=(\S+)", SCRIPT))
RAW = ("XENIUM", "HE", "ALIGNMENT", "ATLAS", "SHEET")
ON_REQUEST = {
    "simulate", "resegment", "gather", "gather_predictions", "embed", "train", "evaluate", "compare",
}  # fmt: skip
READ = (options.InFile, options.InFiles, options.MaybeInFile, options.MaybeInFiles)
MADE = (options.OutFile, options.MaybeOutFile)


def commands():
    """Return the stage and the options, in their order, of every command."""
    found = []
    for line in SCRIPT.splitlines():
        if not line.startswith("sthelar-build "):
            continue
        text = re.sub(r"\$([A-Z_]+)", lambda name: VALUES[name[1]], line)
        _, stage, *words = shlex.split(text)
        pairs = zip(words[::2], words[1::2], strict=True)
        found.append((stage, [(name[2:].replace("-", "_"), value) for name, value in pairs]))
    return found


@pytest.mark.parametrize(("stage", "given"), commands())
def test_a_command_is_given_what_it_needs_and_nothing_unknown(stage, given):
    parameters = inspect.signature(import_module(f"sthelar_build.stages.{stage}").run).parameters
    needed = {n for n, p in parameters.items() if p.default is inspect.Parameter.empty}
    assert needed <= {name for name, _ in given} <= parameters.keys()


def test_every_stage_that_is_not_made_on_request_has_its_command():
    assert {stage for stage, _ in commands()} == set(STAGES) - ON_REQUEST


def test_every_file_is_made_before_it_is_read():
    made = {VALUES[name] for name in RAW}
    for stage, given in commands():
        run = import_module(f"sthelar_build.stages.{stage}").run
        kinds = typing.get_type_hints(run, include_extras=True)
        for name, path in given:
            folders = {path, str(Path(path).parent)}
            assert kinds[name] not in READ or folders & made, f"{stage}: {path} is not made yet"
        made |= {path for name, path in given if kinds[name] in MADE}
