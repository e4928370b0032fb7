"""Settings of the stage ``view``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Positive, Settings


class ViewSettings(Settings):
    """Make the images of the report's viewer."""

    revision: Literal[1] = 1
    um_per_px: Positive = 0.6
    """Largest pixel of the finest level, in um; the H&E is reduced by a power of two. At 0.6 a slide of 54,000 x 48,000 px
    takes about 200 MB, at 0.3 four times that."""
    tile_px: Annotated[int, Field(ge=128, le=2048)] = 512
    """Side of a tile, in pixels."""
    quality: Annotated[int, Field(ge=30, le=95)] = 80
    """Quality of the JPEG tiles."""
