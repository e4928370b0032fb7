"""The command line: one command per stage, loaded only when it is called."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from sthelar_build.errors import SthelarError
from sthelar_build.stages import STAGES


class _LazyStages(TyperGroup):
    """Lists every stage, and imports only the one that runs: heavy libraries cost seconds."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(STAGES)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        if cmd_name not in STAGES:
            return None
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        run = import_module(f"sthelar_build.stages.{cmd_name}").run
        single.command(name=cmd_name)(run)
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
