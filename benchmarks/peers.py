"""Where the public packages are: the interpreter of ``.venv-peers``, and what is installed there."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = Path(os.environ.get("STHELAR_PEERS", ROOT / ".venv-peers")) / "bin" / "python"
"""``STHELAR_PEERS`` names another environment."""


@cache
def has(*modules: str) -> bool:
    """Whether the environment is there and has all these modules."""
    if not PYTHON.is_file():
        return False
    found = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    return subprocess.run([PYTHON, "-c", found, *modules], check=False).returncode == 0


def why_not(*modules: str) -> str:
    """Return the line that says why a comparison is left out."""
    return f"left out: {', '.join(modules)} not installed; make .venv-peers"
