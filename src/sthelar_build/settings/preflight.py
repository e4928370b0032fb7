"""Settings of the stage ``preflight``."""

from __future__ import annotations

from typing import Literal

from sthelar_build.settings.base import Settings, Share


class PreflightSettings(Settings):
    """Look at the raw files before any work is done."""

    revision: Literal[1] = 1
    min_shared_genes: Share = 0.5
    """Smallest share of the panel's genes that the reference should have; fewer is named as a problem."""
    pixel_size_tolerance: Share = 0.1
    """Largest relative difference between the H&E pixel size of the file and that of the alignment."""
