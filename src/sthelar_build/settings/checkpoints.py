"""The checkpoint that is shipped, and the word that names it."""

from __future__ import annotations

from pathlib import Path

TOY = "toy"
"""Names the checkpoint that is shipped."""
TOY_CHECKPOINT = Path(__file__).parents[1] / "models" / "toy_cellvit.pt"
