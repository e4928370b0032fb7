"""What the nuclei of a patch can be drawn from: their outlines, or the vendor's raster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from sthelar_build.core.raster import Ints, Map
from sthelar_build.core.raster_source import sample_strip
from sthelar_build.core.strip_patches import Visible
from sthelar_build.core.strips import draw_strip
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.placed_nuclei import PlacedNuclei
from sthelar_build.io.xenium.bundle import CELLS_ZARR
from sthelar_build.io.xenium.nucleus_raster import open_nucleus_raster

logger = logging.getLogger(__name__)

Draw = Callable[[Ints, int], tuple[Map, Visible, int]]
"""Takes left edges and the top edge of patches of one row of the grid; returns what ``strips.draw_strip`` does."""
Sources = Mapping[str, Draw]
"""By name: POLYGONS, RASTER, or both."""

POLYGONS = "polygons"
RASTER = "raster"


@contextmanager
def nucleus_sources(
    placed: PlacedNuclei,
    xenium: Path | None,
    needed: str,
    wanted: set[str],
    side_px: int,
    min_visible_px: int,
) -> Iterator[Sources]:
    """Give what can be drawn from, for as long as the files are open.

    Parameters
    ----------
    placed
        The nuclei.
    xenium
        The bundle, which has the raster; None if it was not given.
    needed
        The source without which there is no work: an error says what is missing.
    wanted
        Other sources; one that is missing is logged and left out.
    side_px, min_visible_px
        See ``strips.draw_strip``.
    """
    with ExitStack() as files:
        sources: dict[str, Draw] = {}
        if POLYGONS in {needed, *wanted}:
            sources[POLYGONS] = partial(
                draw_strip, placed.outlines(), side_px=side_px, min_visible_px=min_visible_px
            )
        if RASTER in {needed, *wanted}:
            try:
                sources[RASTER] = _raster(placed, xenium, files, side_px, min_visible_px)
            except (ConfigError, InputError) as error:
                if needed == RASTER:
                    raise
                logger.warning("the nucleus raster is left out: %s", error)
        yield sources


def _raster(
    placed: PlacedNuclei,
    xenium: Path | None,
    files: ExitStack,
    side_px: int,
    min_visible_px: int,
) -> Draw:
    if xenium is None:
        raise ConfigError(
            "rasterise: expected the bundle that holds the nucleus raster, found no --xenium; name it"
        )
    labelled = placed.labelled()
    raster = files.enter_context(open_nucleus_raster(xenium / CELLS_ZARR))
    return partial(
        sample_strip,
        labelled,
        placed.to_raster(),
        raster.window,
        side_px=side_px,
        min_visible_px=min_visible_px,
    )
