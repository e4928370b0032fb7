"""The command line: one command per stage, and those that people call by hand; each is loaded only when it is called."""

from __future__ import annotations

import ast
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from sthelar_build.commands import COMMANDS, module_of
from sthelar_build.errors import DISK_FULL, SthelarError, in_words, machine_refusal
from sthelar_build.stages import STAGES

_BY_HAND, _STAGES = "By hand", "Stages, in order, as the workflow calls them"
_STOPPED_BY = 128
"""Exit status of whoever a signal stops, less its number."""


class _LazyCommands(TyperGroup):
    """Lists every command, and imports only the one that runs: heavy libraries cost seconds."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return [*COMMANDS, *STAGES]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        if cmd_name not in (*COMMANDS, *STAGES):
            return None
        panel = _BY_HAND if cmd_name in COMMANDS else _STAGES
        return TyperCommand(cmd_name, help=_summary(cmd_name), rich_help_panel=panel)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        name, listed, rest = super().resolve_command(ctx, args)
        return name, _command(name) if name and listed else listed, rest


def _place(command: str) -> tuple[str, str]:
    """Return the package and the module of a command."""
    return ("commands", module_of(command)) if command in COMMANDS else ("stages", command)


def _summary(command: str) -> str:
    """Return the first paragraph of what a command says of itself, read off its source."""
    package, module = _place(command)
    source = Path(__file__).parent / package / f"{module}.py"
    functions = ast.parse(source.read_text(encoding="utf-8")).body
    run = next(f for f in functions if isinstance(f, ast.FunctionDef) and f.name == "run")
    return (ast.get_docstring(run) or "").split("\n\n")[0]


def _command(command: str) -> Any:
    """Return a command, with its options."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    module = import_module(".".join(("sthelar_build", *_place(command))))
    single.command(name=command)(module.run)
    return typer.main.get_command(single)


app = typer.Typer(
    cls=_LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Turn raw Xenium bundles and their H&E slides into training datasets, stage by stage.",
)


@app.callback()
def _log_to_stderr(ctx: typer.Context) -> None:
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    # Commands that people call say themselves what the readers tell a log.
    level = logging.ERROR if ctx.invoked_subcommand in COMMANDS else logging.INFO
    logging.getLogger("sthelar_build").setLevel(level)
    logging.getLogger().setLevel(logging.WARNING)


def main() -> None:
    """Run a stage; a mistake of the user is one line on standard error and exit status 1.

    So is what the machine refuses, such as a full disk. Whoever is stopped by SIGTERM or Ctrl-C cleans up first.
    """
    try:
        _keep_libraries_quiet()
        with _stopped_in_order():
            # Called itself, the app would put its own excepthook in place of ours.
            typer.main.get_command(app)()
    except SthelarError as error:
        _refuse(str(error), error)
    except Exception as error:
        refusal = machine_refusal(error)
        if refusal is None:
            raise
        message = in_words(refusal, getattr(error, "__notes__", ()))
        _refuse(message, error, at_once=refusal.errno in DISK_FULL)


def _refuse(message: str, error: Exception, *, at_once: bool = False) -> NoReturn:
    if os.environ.get("STHELAR_DEBUG"):
        raise error
    sys.stderr.write(f"error: {message}\n")
    if at_once:
        # HDF5 would try once more to write what it could not, and crash.
        sys.stderr.flush()
        os._exit(1)
    sys.exit(1)


def _keep_libraries_quiet() -> None:
    """Print no tracebacks of what HDF5 cannot close on a full disk: one line says that it is full."""

    def unless_refused(hook: Any, error_of: Any) -> Any:
        return lambda *what: None if machine_refusal(error_of(*what)) else hook(*what)

    sys.excepthook = unless_refused(sys.excepthook, lambda _, error, __: error)
    sys.unraisablehook = unless_refused(sys.unraisablehook, lambda args: args.exc_value)


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C unwind the stack, so that drafts are removed; in this process, not in those it forks."""
    own = os.getpid()

    def stop(number: int, _: Any) -> None:
        if os.getpid() != own:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        sys.stderr.write(
            f"stopped by {signal.Signals(number).name}: nothing half-written is left\n"
        )
        sys.exit(_STOPPED_BY + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
