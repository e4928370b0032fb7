"""Settings of the stage ``resegment``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sthelar_build.settings.base import Positive, Settings, Share

Percent = Annotated[float, Field(ge=0, le=100)]


class ResegmentSettings(Settings):
    """Take the nuclei of the Xenium slide from elsewhere than the bundle: from a GeoJSON file, or from Cellpose on its DAPI image.

    (``segment`` is another thing: it finds nuclei in the H&E, to check the masks by.)
    """

    revision: Literal[1] = 1
    source: Literal["xenium", "cellpose", "geojson"] = "xenium"
    """xenium: the nuclei and cells of the bundle; cellpose: a network, on the DAPI image; geojson: the file that the sheet of slides
    names in its column nuclei. A slide with such a file takes it whatever stands here."""
    geojson_units: Literal["morphology", "um"] = "morphology"
    """Units of GeoJSON files: px of the morphology image (level 0), as QuPath has them when the DAPI image is open; or um of Xenium. Not px
    of the H&E: it finds its place by the nuclei."""
    min_area_um2: Annotated[float, Field(ge=0)] = 2
    """Smaller outlines are no nuclei, in um2."""
    max_area_um2: Positive = 1500
    """Larger outlines are no nuclei, in um2."""
    model: str = "nuclei"
    """Network of Cellpose 3: a file (any path with a /), or the name of one that Cellpose has stored on this machine: nothing is downloaded."""
    diameter_um: Positive = 8
    """Usual diameter of a nucleus, in um: the image is scaled to what the network was trained on."""
    flow_threshold: Annotated[float, Field(ge=0)] = 0.4
    """Largest error of the flows of a nucleus; 0 keeps all. Higher keeps more."""
    cellprob_threshold: Annotated[float, Field(ge=-20, le=20)] = 0
    """Pixels of a nucleus have a logit above this; lower finds more, and larger ones."""
    percentiles: tuple[Percent, Percent] = (1, 99.5)
    """Percentiles of the DAPI image that become 0 and 1: of the whole slide, so that all tiles agree."""
    tile_px: Annotated[int, Field(ge=256, le=16384)] = 2048
    """Side of the tiles that are segmented at once, in morphology px, without their margin."""
    margin_um: Annotated[float, Field(ge=5, le=200)] = 30
    """Margin around a tile, in um: more than the longest nucleus, that each may be seen whole."""
    max_overlap: Share = 0.25
    """Of two nuclei of neighbouring tiles that share more than this of the smaller one, one goes."""
    simplify_um: Annotated[float, Field(ge=0, le=2)] = 0
    """How far a simplified outline may lie from the pixels that Cellpose gives, in um; 0 keeps every corner."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """Where the network of Cellpose runs."""

    @model_validator(mode="after")
    def _in_order(self) -> ResegmentSettings:
        if self.min_area_um2 >= self.max_area_um2:
            raise ValueError("expected min_area_um2 below max_area_um2")
        if self.percentiles[0] >= self.percentiles[1]:
            raise ValueError("expected the smaller percentile first")
        return self

    @property
    def model_file(self) -> Path | None:
        """The network as a file of the user; None for a name, and where no network is used."""
        return Path(self.model) if self.source == "cellpose" and "/" in self.model else None
