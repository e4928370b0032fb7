"""Settings of the stage ``count``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Settings


class CountSettings(Settings):
    """Count transcripts per nucleus and per cell."""

    revision: Literal[1] = 1
    min_qv: Annotated[float, Field(ge=0)] = 20
    """Transcripts of lower quality are not counted; 10x counts from 20."""
