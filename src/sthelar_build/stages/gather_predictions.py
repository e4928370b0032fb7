"""Make one folder of the predictions that several jobs made."""

from __future__ import annotations

import logging
from typing import Annotated

from sthelar_build.io.atomic import published
from sthelar_build.io.gathered_predictions import gather_predictions
from sthelar_build.io.predictions import write_instance_maps
from sthelar_build.io.tables import read_attributes
from sthelar_build.options import InFile, InFiles, OutFile, as_json
from sthelar_build.settings.gather_predictions import GatherPredictionsSettings

logger = logging.getLogger(__name__)


def run(
    patches: InFile,
    shard: InFiles,
    predictions: OutFile,
    instance_maps: OutFile,
    settings: Annotated[GatherPredictionsSettings, as_json(GatherPredictionsSettings)],
) -> None:
    """Gather the shards of a slide's predictions: what one job would have made, byte for byte."""
    with published(predictions) as draft:
        gather_predictions(shard, int(read_attributes(patches)["rows"]), draft)
        write_instance_maps(draft, instance_maps)
    logger.info("gathered %d shards", len(shard))
