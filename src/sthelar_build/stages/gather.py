"""Make one folder of the masks that several jobs drew."""

from __future__ import annotations

import logging
from typing import Annotated

from sthelar_build.io.atomic import published
from sthelar_build.io.gathered_masks import gather_masks
from sthelar_build.io.tables import read_attributes
from sthelar_build.options import InFile, InFiles, OutFile, as_json
from sthelar_build.settings.gather import GatherSettings

logger = logging.getLogger(__name__)


def run(
    patches: InFile,
    shard: InFiles,
    masks: OutFile,
    settings: Annotated[GatherSettings, as_json(GatherSettings)],
) -> None:
    """Gather the shards of a slide's masks: what one job would have drawn, byte for byte."""
    with published(masks) as draft:
        gather_masks(shard, int(read_attributes(patches)["rows"]), draft)
    logger.info("gathered %d shards", len(shard))
