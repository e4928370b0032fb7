"""Settings of the stage ``export_slides``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sthelar_build.settings.base import Count, Positive, Settings, Share


class ExportSlidesSettings(Settings):
    """Write whole slides, labelled and placed on their H&E, as a dataset in one format."""

    revision: Literal[1] = 1
    min_verdict: Literal["pass", "warn", "fail"] = "warn"
    """Slides whose registration is judged worse are left out of formats that lie on the H&E; fail keeps all."""
    spot_layout: Literal["square", "hex"] = "square"
    """Pseudo-Visium spots of hest and stimage: squares in rows and columns, or discs in a hexagonal lattice. Squares side
    by side lose no transcript, and are what HEST-1k has for Xenium; hex with 55 and 100 um is the geometry of Visium."""
    spot_um: Positive = 100
    """Side of a square spot or diameter of a disc, in um."""
    spot_spacing_um: Positive = 100
    """Distance between the centres of neighbouring spots, in um; at least ``spot_um``."""
    spot_min_counts: Annotated[int, Field(ge=1)] = 1
    """Spots with fewer counted transcripts are left out."""
    spot_min_qv: Annotated[float, Field(ge=0)] = 20
    """Transcripts of lower quality are not counted in spots."""
    hest_min_tissue: Share = 0.15
    """Spots whose patch has a smaller share of tissue get no patch in hest; HEST's own limit."""
    stimage_um_per_px: Positive = 1
    """Size of a pixel of stimage's whole-slide image, in um; at 1 most slides open without lifting Pillow's limit."""
    qupath_gzip_nuclei: Count = 100_000
    """Slides with more nuclei get their QuPath file compressed (``.geojson.gz``)."""
    species: Annotated[str, Field(min_length=1)] = "Homo sapiens"
    """Species, as hest and stimage state it."""

    @model_validator(mode="after")
    def _spots_apart(self) -> ExportSlidesSettings:
        if self.spot_um > self.spot_spacing_um:
            raise ValueError("expected spot_um of at most spot_spacing_um: spots must not overlap")
        return self
