"""Settings of the stage ``ingest``."""

from __future__ import annotations

from typing import Literal

from sthelar_build.settings.base import Settings


class IngestSettings(Settings):
    """Read a Xenium bundle of any version into tables."""

    revision: Literal[2] = 2
