"""Settings of the stage ``report``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Settings, Share


class VerdictLimits(Settings):
    """What a slide must reach for its labels and masks to pass."""

    min_jaccard: Share = 0.45
    """Patches with this Jaccard index or more count as kept: the published advice for training."""
    min_kept: Share = 0.5
    """Share of the measured patches that must be kept for the masks to pass; below, the report warns."""
    min_decided: Share = 0.5
    """Share of the cells with enough transcripts for whose class something must speak; below, the report warns."""


class ReportSettings(VerdictLimits):
    """Write the report of a slide."""

    revision: Literal[2] = 2
    min_covered: Share = 0.9
    """Patches of whose tissue the Xenium run covers less are counted, and told in the gallery; see ``export.min_covered``."""
    gallery_patches: Annotated[int, Field(ge=1, le=12)] = 4
    """Number of best, of median and of worst patches that are shown at each scale."""
    embedded_mb: Annotated[float, Field(ge=0)] = 16
    """Where the tiles and blocks of the viewer take no more than this, they travel in the page; else they lie beside it."""
    picture_px: Annotated[int, Field(ge=200, le=3000)] = 1400
    """Longer side of the pictures in the page, in pixels; larger ones are reduced."""
    umap_points: Annotated[int, Field(ge=100, le=200_000)] = 20_000
    """Cells that are drawn in the UMAP; of more, a fair sample of about so many, with some of every cluster. 11 bytes of the page for each."""
    markers_per_class: Annotated[int, Field(ge=1, le=6)] = 5
    """Markers of every class in the dot plot: those on the panel that lead the other classes most."""

    @property
    def limits(self) -> VerdictLimits:
        """Return what others than the report judge by, too."""
        return VerdictLimits(**self.model_dump(include=set(VerdictLimits.model_fields)))
