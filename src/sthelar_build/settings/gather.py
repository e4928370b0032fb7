"""Settings of the stage ``gather``."""

from __future__ import annotations

from typing import Literal

from sthelar_build.settings.base import Settings


class GatherSettings(Settings):
    """Make one folder of the masks that several jobs drew."""

    revision: Literal[1] = 1
