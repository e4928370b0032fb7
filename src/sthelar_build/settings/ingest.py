"""Settings of the stage ``ingest``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Settings


class IngestSettings(Settings):
    """Read a Xenium bundle of any version into tables."""

    revision: Literal[2] = 2
    expansion_um: Annotated[float, Field(ge=0, le=50)] = 5
    """How far cells reach beyond their nuclei where these are not those of the bundle (resegment), in um, at most; where cells meet, each
    point goes to the nearest nucleus. 0: cells are their nuclei. Cells of the bundle are taken as they are."""
