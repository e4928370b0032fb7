"""Settings of the stage ``assemble``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Settings


class AssembleSettings(Settings):
    """Put everything of a slide into one SpatialData zarr."""

    revision: Literal[1] = 1
    chunk_px: Annotated[int, Field(ge=64, le=4096, multiple_of=2)] = 512
    """Side of an image chunk, in pixels: smaller reads a patch faster, larger makes fewer files."""
    zip: bool = False
    """Also write ``sdata_{slide}.zarr.zip``, uncompressed."""
