"""Settings of the stage ``tile``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sthelar_build.settings.base import Count, Positive, Settings


class TileSettings(Settings):
    """Cut the H&E into a grid of patches; measure their tissue, how far the run covers it, and their blur."""

    revision: Literal[3] = 3
    side_px: Annotated[int, Field(ge=32)] = 256
    """Side of a patch, in pixels of the scale."""
    overlap_px: Count = 64
    """Overlap of neighbouring patches, in pixels of the scale."""
    tissue_um_per_px: Positive = 8
    """Resolution at which tissue is told from glass, in um per pixel."""
    tissue_min_density: Positive = 0.05
    """Optical density (base 10) above the glass from which a spot is tissue; raise it where glass is taken for tissue."""
    covered_gap_um: Positive = 50
    """Places without transcripts count as covered if they are narrower than this, in um, and transcripts lie around."""

    @model_validator(mode="after")
    def _overlap_is_smaller(self) -> TileSettings:
        if self.overlap_px >= self.side_px:
            raise ValueError(
                f"expected overlap_px below side_px ({self.side_px}), found {self.overlap_px}"
            )
        return self
