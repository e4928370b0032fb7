"""Write whole slides as a dataset in one format, and check it by the rules of its readers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any, Protocol

from sthelar_build.core.verdict import FROM_WORST
from sthelar_build.errors import InputError
from sthelar_build.exporters import explorer, hest, qupath, stimage
from sthelar_build.io.atomic import published
from sthelar_build.io.provenance import checksums, provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.slide_files import WholeSlide
from sthelar_build.options import (
    InFile,
    InFiles,
    OutFile,
    Threads,
    Word,
    Words,
    as_json,
    in_step,
    one_of,
)
from sthelar_build.settings.export_slides import ExportSlidesSettings
from sthelar_build.sheets import load_slides

logger = logging.getLogger(__name__)


class SlideExporter(Protocol):
    """What every module of ``exporters`` for whole slides offers."""

    ON_HE: bool
    """Whether the format lies on the H&E, and so needs a registration that is good enough."""

    def write(
        self, slides: list[WholeSlide], out: Path, settings: ExportSlidesSettings, threads: int
    ) -> None:
        """Write the folder ``out``."""

    def validate(self, folder: Path) -> None:
        """Raise InputError unless the readers of the format can use the folder."""


EXPORTERS: dict[str, SlideExporter] = {
    "qupath": qupath,
    "explorer": explorer,
    "hest": hest,
    "stimage": stimage,
}
"""The formats, by the name in the configuration."""


def run(
    format: Word,
    slides_sheet: InFile,
    slide: Words,
    he: InFiles,
    transform: InFiles,
    nuclei: InFiles,
    cells: InFiles,
    transcripts: InFiles,
    bundle: InFiles,
    labels: InFiles,
    out: OutFile,
    settings: Annotated[ExportSlidesSettings, as_json(ExportSlidesSettings)],
    threads: Threads = 1,
) -> None:
    """Export the slides as they are, not their patches; the lists of files are in the order of the slides."""
    exporter = one_of(EXPORTERS, format)
    rows = load_slides(slides_sheet)
    columns = in_step(
        slide=slide,
        he=he,
        transform=transform,
        nuclei=nuclei,
        cells=cells,
        transcripts=transcripts,
        bundle=bundle,
        labels=labels,
    )
    slides = [WholeSlide(rows[name], *paths) for name, *paths in sorted(columns)]
    kept = [one for one in slides if not exporter.ON_HE or _good_enough(one, settings)]
    logger.info("kept %d of %d slides: the others are registered too badly", len(kept), len(slides))
    if not kept:
        raise InputError(
            f"{transform[0]}: expected at least one slide whose registration is judged {settings.min_verdict} or "
            f"better, found none of {len(slides)}; see the reports, or export_slides.min_verdict"
        )
    record = {"format": format, "slides": {one.name: _facts(one, one in kept) for one in slides}}
    with published(out) as draft:
        exporter.write(kept, draft, settings, threads)
        exporter.validate(draft)
        record["files"] = checksums(draft)
        source = provenance("export_slides", settings, _inputs(slides_sheet, kept))
        write_record(draft / "manifest.json", record, source)


def _good_enough(one: WholeSlide, settings: ExportSlidesSettings) -> bool:
    return FROM_WORST.index(one.placed.verdict) >= FROM_WORST.index(settings.min_verdict)


def _facts(one: WholeSlide, kept: bool) -> dict[str, Any]:
    return {
        "kept": kept,
        "registration": one.placed.verdict,
        "he_um_per_px": one.placed.he_um_per_px,
    }


def _inputs(slides_sheet: Path, slides: list[WholeSlide]) -> dict[str, Path]:
    inputs = {"slides_sheet": slides_sheet}
    for one in slides:
        inputs |= {f"{one.name}/{p.name}": p for p in (one.transform, one.labels, one.nuclei)}
    return inputs
