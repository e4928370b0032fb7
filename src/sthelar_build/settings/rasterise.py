"""Settings of the stage ``rasterise``."""

from __future__ import annotations

from typing import Literal

from sthelar_build.settings.base import Count, Settings


class RasteriseSettings(Settings):
    """Draw the nuclei of every patch."""

    revision: Literal[3] = 3
    source: Literal["polygons", "raster"] = "polygons"
    """What is drawn: the outlines of the bundle, which are simplified (about 25 corners), straight at the scale; or its
    exact nucleus raster (``cells.zarr.zip``), by nearest neighbour, so in steps of a morphology pixel."""
    min_visible_px: Count = 10
    """A nucleus with fewer visible pixels in a patch is not drawn there."""
    compared_patches: Count = 64
    """Patches with nuclei, evenly spread, on which outlines and raster are compared where the bundle has both; 0 for none."""

    @property
    def reads_raster(self) -> bool:
        """Whether the nucleus raster of the bundle is read at all."""
        return self.source == "raster" or self.compared_patches > 0
