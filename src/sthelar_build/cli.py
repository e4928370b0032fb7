"""The command line: one command per stage, loaded only when it is called."""

from __future__ import annotations

import ast
import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from sthelar_build.errors import SthelarError
from sthelar_build.stages import STAGES


class _LazyStages(TyperGroup):
    """Lists every stage, and imports only the one that runs: heavy libraries cost seconds."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(STAGES)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        return TyperCommand(cmd_name, help=_summary(cmd_name)) if cmd_name in STAGES else None

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        name, listed, rest = super().resolve_command(ctx, args)
        return name, _command(name) if name and listed else listed, rest


def _summary(stage: str) -> str:
    """Return the first paragraph of what a stage says of itself, read off its source."""
    source = Path(__file__).parent / "stages" / f"{stage}.py"
    functions = ast.parse(source.read_text(encoding="utf-8")).body
    run = next(f for f in functions if isinstance(f, ast.FunctionDef) and f.name == "run")
    return (ast.get_docstring(run) or "").split("\n\n")[0]


def _command(stage: str) -> Any:
    """Return the command of a stage, with its options."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name=stage)(import_module(f"sthelar_build.stages.{stage}").run)
    return typer.main.get_command(single)


app = typer.Typer(
    cls=_LazyStages,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Turn raw Xenium bundles and their H&E slides into training datasets, stage by stage.",
)


@app.callback()
def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    logging.getLogger("sthelar_build").setLevel(logging.INFO)
    logging.getLogger().setLevel(logging.WARNING)


def main() -> None:
    """Run a stage; a mistake of the user is one line on standard error and exit status 1."""
    try:
        app()
    except SthelarError as error:
        if os.environ.get("STHELAR_DEBUG"):
            raise
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
