"""The page of the command line: every command, its options, and what the workflow gives them."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, get_type_hints

from typer.main import get_command_from_info
from typer.models import CommandInfo

from sthelar_build import options
from sthelar_build.commands import COMMANDS, module_of
from sthelar_build.stages import STAGES

ROOT = Path(__file__).parents[1]
HEAD = """# Command line

This page is generated from the commands themselves (`python docs/generate.py`). `sthelar-build COMMAND --help` prints the same options;
`sthelar-build --install-completion` lets the tab key complete them.

A command reads its inputs, writes its outputs whole or not at all, and says on standard error what it does. A mistake in what it is given is one
line and exit status 1; an unknown option is exit status 2. `STHELAR_DEBUG=1` shows where an error comes from.

Stages are what the workflow runs. The last column says what it gives to an option: a file of `results/`, a column of a sheet, or a
section of `config.yaml`. [without_snakemake.md](without_snakemake.md) calls them by hand, in order; [artefacts.md](artefacts.md) says what the files
hold, and [../config/README.md](../config/README.md) what `--settings` may say. An option of several files is given once for each."""


def command_page() -> str:
    """Return docs/cli.md."""
    parts = [HEAD, "## Commands that people call"]
    for name in COMMANDS:
        parts += _command(name, f"sthelar_build.commands.{module_of(name)}")
    parts.append("## Stages, in the order of the workflow")
    for name in STAGES:
        parts += _command(name, f"sthelar_build.stages.{name}", _given(name))
    return "\n\n".join(parts) + "\n"


def _command(name: str, module: str, given: dict[str, str] | None = None) -> list[str]:
    run = import_module(module).run
    command = get_command_from_info(
        CommandInfo(name=name, callback=run),
        pretty_exceptions_short=False,
        rich_markup_mode=None,
    )
    hints = get_type_hints(run, include_extras=True)
    head = ["option", "what", "default"] + (["in the workflow"] if given is not None else [])
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
    rows = [_row(param, hints.get(param.name), given) for param in shown]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    return [f"### `{name}`", inspect.getdoc(run) or "", "\n".join(lines)]


def _row(param: Any, hint: Any, given: dict[str, str] | None) -> list[str]:
    is_option = param.opts[0].startswith("-")
    option = f"`{param.opts[0]}`" if is_option else f"`{param.name.upper()}`"
    default = (
        "must be given" if param.required else "" if param.default is None else f"`{param.default}`"
    )
    row = [option, _cell(getattr(param, "help", None) or _kind(hint)), default]
    return row if given is None else [*row, given.get(param.opts[0].lstrip("-"), "")]


def _kind(hint: Any) -> str:
    """Return what the kind of an option says of itself in ``options.py``."""
    body = ast.parse(Path(options.__file__).read_text(encoding="utf-8")).body
    for node, below in pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(below, ast.Expr):
            name = node.targets[0].id  # type: ignore[attr-defined]
            if getattr(options, name) == hint:
                return str(ast.literal_eval(below.value))
    return ""


def _given(stage: str) -> dict[str, str]:
    """Return what the rule of a stage gives to each option, where it can be said in a few words."""
    text = (ROOT / "workflow" / "rules" / f"{stage}.smk").read_text(encoding="utf-8")
    values = {
        part: dict(re.findall(r"^\s+(\w+)=(.*?),?$", _part(text, part), re.M))
        for part in ("input", "output", "params")
    }
    bare = re.findall(r'"(.*?)"', _part(text, "output"))
    values["output"].setdefault("", f'"{bare[0]}"' if bare else "")
    section = "a recipe of `simulate`" if stage == "simulate" else f"section `{stage}`"
    found = {"settings": f"{section} of `config.yaml`"}
    for option, key in re.findall(r"--([\w-]+) \{wildcards\.(\w+)", text):
        found[option] = f"the {key}"
    for option, place, key in re.findall(r"--([\w-]+) \{(input|output|params)\.?(\w*)", text):
        found.setdefault(option, _words(values[place].get(key, ""), values))
    for key, value in values["params"].items():
        repeated = re.match(r'(?:option|made)\("([\w-]+)"(?:, "(\w+)")?\)', value)
        if repeated:
            option = repeated[1]
            source = values["input"] | values["output"]
            found[option] = _words(source.get(repeated[2] or key, ""), values)
    return found


def _part(text: str, part: str) -> str:
    found = re.search(rf"^( +){part}:\n((?:\1 +.*\n)+)", text, re.M)
    return found[2] if found else ""


def _words(value: str, values: dict[str, dict[str, str]]) -> str:
    """Return in words what an expression of a rule stands for; nothing for what takes a look at the rule."""
    literal = re.search(r'^(?:each_\w+\(|expand\(|shown\()?f?"([^"]+)"', value)
    if literal and "{" not in re.sub(r"\{(slide|scale|format|table)\}", "", literal[1]):
        return f"`{literal[1]}`"
    if value.startswith("subpath(input.experiment") or value == "experiment":
        return "column `xenium` of `slides.tsv`"
    folder = re.match(r"subpath\(output(?:\.(\w+)|\[0\]), parent=True\)", value)
    if folder:
        made = _words(values["output"].get(folder[1] or "", ""), values).strip("`")
        return f"`{made.rpartition('/')[0]}/`" if made else ""
    for pattern, words in (
        (r'sheet\("alignment_file"\)', "column `alignment` of `slides.tsv`"),
        (r'sheet\("(\w+)"\)', "column `{}` of `slides.tsv`"),
        (r'reference\("(\w+)"\)', "column `{}` of `references.tsv`"),
    ):
        match = re.match(pattern, value)
        if match:
            return words.format(*match.groups())
    return ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
