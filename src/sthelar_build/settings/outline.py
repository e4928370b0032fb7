"""Settings of the stage ``outline``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Seed, Settings


class OutlineSettings(Settings):
    """Make the outlines of the report's viewer."""

    revision: Literal[1] = 1
    block_um: Annotated[float, Field(ge=50, le=2000)] = 400
    """Side of the squares that the viewer loads one by one, in um."""
    overview_nuclei: Annotated[int, Field(ge=1000)] = 100_000
    """Of slides with more nuclei, about so many are shown as dots where the slide is seen from afar."""
    least_of_cluster: Annotated[int, Field(ge=1)] = 300
    """Of every cluster at least so many of them, or all."""
    seed: Seed = 0
    """Of the sample."""
