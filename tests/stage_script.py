"""Commands of ``sthelar-build`` as stages and options: those of a page, and those that Snakemake prints."""

import re
import shlex
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "without_snakemake.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
VALUES = dict(re.findall(r"\b([A-Z_]+)=(\S+)", "".join(BLOCKS)))

Command = tuple[str, list[tuple[str, str]]]
"""A stage, and its options in their order: names as those of its function, and values."""


def commands_of_page() -> list[Command]:
    filled = (re.sub(r"\$([A-Z_]+)", lambda name: VALUES[name[1]], block) for block in BLOCKS)
    return [command for block in filled for command in commands(block)]


def commands(text: str) -> list[Command]:
    """Return every command of a script; what stands before the first one, and redirections, are left out."""
    joined = text.replace("\\\n", " ")
    _, *calls = re.split(r"^\s*sthelar-build ", joined, flags=re.MULTILINE)
    return [_command(call.split("&>")[0]) for call in calls]


def _command(call: str) -> Command:
    stage, *words = shlex.split(call, comments=True)
    pairs = zip(words[::2], words[1::2], strict=True)
    return stage, [(name[2:].replace("-", "_"), value) for name, value in pairs]
