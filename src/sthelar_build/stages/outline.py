"""Make the outlines of the report's viewer: the labelled nuclei, block by block, and dots for the whole slide."""

from __future__ import annotations

import logging
from typing import Annotated

from sthelar_build.io.atomic import published
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import MANIFEST, write_record
from sthelar_build.io.transform import read_transform
from sthelar_build.io.viewer_nuclei import read_viewer_nuclei, write_viewer_nuclei
from sthelar_build.options import InFile, OutFile, as_json
from sthelar_build.settings.outline import OutlineSettings

logger = logging.getLogger(__name__)


def run(
    nuclei: InFile,
    labels: InFile,
    transform: InFile,
    outlines: OutFile,
    settings: Annotated[OutlineSettings, as_json(OutlineSettings)],
) -> None:
    """Make the outlines of the report's viewer."""
    placed = read_transform(transform)
    found = read_viewer_nuclei(nuclei, labels, placed)
    logger.info("%d nuclei, %d more beyond the H&E", len(found.table), found.n_off_image)
    inputs = {"nuclei": nuclei, "labels": labels, "transform": transform}
    with published(outlines) as draft:
        draft.mkdir()
        record = write_viewer_nuclei(draft, found, placed, settings)
        write_record(draft / MANIFEST, record, provenance("outline", settings, inputs))
    logger.info("%d blocks", len(record["blocks"]))
