"""Settings of the stage ``gather_predictions``."""

from __future__ import annotations

from typing import Literal

from sthelar_build.settings.base import Settings


class GatherPredictionsSettings(Settings):
    """Make one folder of the predictions that several jobs made."""

    revision: Literal[1] = 1
