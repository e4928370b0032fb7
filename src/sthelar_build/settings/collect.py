"""Settings of the stage ``collect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from sthelar_build.settings.base import SCALE, Count, Positive, Seed, Settings, Share

SplitStrategy = Literal["auto", "patient", "slide", "space", "random_leaky"]


class CollectSettings(Settings):
    """Gather all slides: statistics and splits."""

    revision: Literal[2] = 2
    strategy: SplitStrategy = "auto"
    """What is kept apart: patients, slides, space (bands of each slide), or nothing (random_leaky).

    auto takes patients if there are at least three, else space. All share out the rarest class first."""
    frozen_splits: Path | None = None
    """A copy of the ``splits.parquet`` of an earlier run: its splits are used again, and the settings of splits do not matter.
    ``{scale}`` in the path stands for the name of the scale. It must have the patches of this run and be unchanged."""
    shares: tuple[Share, Share, Share] = (0.6, 0.2, 0.2)
    """Shares of train, valid and test; they sum to 1."""
    guard_px: Count = 64
    """Least gap between patches of different splits in one slide, in px of the scale (space only)."""
    min_verdict: Literal["pass", "warn", "fail"] = "warn"
    """Slides whose registration is judged worse are left out of the datasets; fail keeps all."""
    max_deviation: Positive = 3.5
    """A class of a slide is flagged where its share, or its markers, lie further from the other slides' median than
    this, in robust standard deviations (1.4826 MAD)."""
    min_siblings: Annotated[int, Field(ge=4)] = 4
    """Slides that it takes to judge one of them; of the same tissue where there are so many, else of any. With three
    nobody can tell which is the odd one."""
    min_class_cells: Annotated[int, Field(ge=1)] = 50
    """Cells of a class that a slide must have for its markers to be compared."""
    seed: Seed = 42
    """Seed of the splits."""

    @field_validator("shares")
    @classmethod
    def _sum_to_one(cls, shares: tuple[float, float, float]) -> tuple[float, float, float]:
        if abs(sum(shares) - 1) > 1e-9:
            raise ValueError("expected shares of train, valid and test that sum to 1")
        return shares

    def frozen_splits_at(self, scale: str) -> Path | None:
        """Return the frozen splits of a scale; None if there are none."""
        return self.frozen_splits and Path(str(self.frozen_splits).replace(SCALE, scale))
