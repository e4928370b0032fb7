"""Write the report of a slide: one page that needs nothing beside it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

from sthelar_build.core.review_facts import review_facts
from sthelar_build.core.slide_facts import fact_groups
from sthelar_build.core.slide_verdicts import slide_verdicts
from sthelar_build.core.training_words import (
    annotation_line,
    registration_line,
    segmentation_line,
    training_answer,
)
from sthelar_build.io.images.he import open_he
from sthelar_build.io.lineage import lineage
from sthelar_build.io.pages import write_page
from sthelar_build.io.pictures.viewer import read_viewer
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.slide_report.alignment import ShownAlignment, shown_alignment
from sthelar_build.io.slide_report.labels import ShownLabels, shown_labels
from sthelar_build.io.slide_report.scales import ScaleFiles, ShownScale, shown_scale
from sthelar_build.io.transform import Transform
from sthelar_build.options import (
    InFile,
    InFiles,
    MaybeInFile,
    MaybeInFiles,
    OutFile,
    Word,
    Words,
    as_json,
    in_step,
)
from sthelar_build.schema.labels import CLASSES, PATCH_CLASSES
from sthelar_build.schema.words import XENIUM
from sthelar_build.settings.report import ReportSettings

logger = logging.getLogger(__name__)

_OF_BUNDLE = ("xoa_version", "genes", "n_cells", "n_nuclei", "n_transcripts")


def run(
    slide: Word,
    preflight: InFile,
    bundle: InFile,
    transform: InFile,
    registration: InFile,
    registration_pictures: InFile,
    clusters_cells: InFile,
    counts_cells: InFile,
    tangram_cells: InFile,
    evidence: InFile,
    overrides: InFile,
    labels: InFile,
    refine_pictures: InFile,
    scale: Words,
    patches: InFiles,
    masks: InFiles,
    metrics: InFiles,
    he: InFile,
    viewer_images: InFile,
    viewer_nuclei: InFile,
    report: OutFile,
    settings: Annotated[ReportSettings, as_json(ReportSettings)],
    displacement: MaybeInFiles = None,
    curation: MaybeInFile = None,
) -> None:
    """Write the report of a slide."""
    of_scales = _files_of_scales(scale, patches, masks, metrics, displacement)
    files = {
        "he": he,
        "preflight": preflight,
        "bundle": bundle,
        "transform": transform,
        "registration": registration,
        "evidence": evidence,
        "overrides": overrides,
        "clusters_cells": clusters_cells,
        "counts_cells": counts_cells,
        "tangram_cells": tangram_cells,
        "labels": labels,
        "viewer_images": viewer_images,
        "viewer_nuclei": viewer_nuclei,
        **_named(of_scales),
        **({"curation": curation} if curation else {}),
    }
    found = read_record(preflight, ("facts", "problems"))
    alignment = shown_alignment(transform, registration, registration_pictures, settings.picture_px)
    labelled = shown_labels({**files, "refine_pictures": refine_pictures}, settings)
    with open_he(he) as image:
        scales = [shown_scale(one, image, settings) for one in of_scales]
    source = provenance("report", settings, files)
    values = {
        "slide": slide,
        "settings": settings,
        "review": review_facts(slide, labelled.evidence, _text(curation)),
        "viewer": read_viewer(viewer_images, viewer_nuclei, report, settings.embedded_mb * 2**20),
        **_verdicts(alignment, labelled, scales, settings),
        "problems": found["problems"],
        "facts": fact_groups(_facts(found["facts"], bundle, alignment.transform)),
        "alignment": alignment,
        "labelled": labelled,
        "scales": scales,
        "legend": [(c.name, c.hex_colour) for c in PATCH_CLASSES],
        "colours": {c.name: c.hex_colour for c in CLASSES},
        "sources": [*lineage(files.values()), ("report.html", source)],
    }
    write_page(report, "report.html", values)
    logger.info("%s: %.1f MB", report, report.stat().st_size / 2**20)


def _text(path: Path | None) -> str | None:
    return None if path is None else path.read_text("utf-8-sig")


def _files_of_scales(
    scale: list[str],
    patches: list[Path],
    masks: list[Path],
    metrics: list[Path],
    displacement: list[Path] | None,
) -> list[ScaleFiles]:
    files = in_step(scale=scale, patches=patches, masks=masks, metrics=metrics)
    curves = dict(in_step(scale=scale, displacement=displacement)) if displacement else {}
    return [
        ScaleFiles(name, grid, manifest, measured, curves.get(name))
        for name, grid, manifest, measured in files
    ]


def _named(of_scales: list[ScaleFiles]) -> dict[str, Path]:
    """Return the files of all scales by kind and scale."""
    return {
        f"{kind}_{files.name}": path
        for kind in ("patches", "masks", "metrics", "displacement")
        for files in of_scales
        if (path := getattr(files, kind)) is not None
    }


def _verdicts(
    alignment: ShownAlignment,
    labelled: ShownLabels,
    scales: list[ShownScale],
    settings: ReportSettings,
) -> dict[str, Any]:
    """Return the three verdicts, and whether one may train on the slide."""
    registered, annotation = alignment.transform, labelled.annotation
    agreements = {shown.name: shown.agreement for shown in scales}
    found = slide_verdicts(
        registered.verdict,
        annotation,
        list(agreements.values()),
        settings.min_decided,
        settings.min_kept,
    )
    error = registered.median_um, registered.p95_um, registered.reasons
    return {
        "verdicts": [
            registration_line(found["alignment"], *error, alignment.settings),
            annotation_line(found["labels"], annotation, settings.min_decided),
            segmentation_line(found["masks"], agreements, settings.min_kept, settings.min_jaccard),
        ],
        "answer": training_answer(found),
    }


def _facts(preflight: dict[str, Any], bundle: Path, registered: Transform) -> dict[str, Any]:
    """Return what preflight found, and over it what the stages after it know better."""
    made = read_record(bundle, _OF_BUNDLE)
    return {
        **preflight,
        **{name: made[name] for name in _OF_BUNDLE if name != "genes"},
        "n_genes": len(made["genes"]),
        "nuclei_source": made.get("nuclei_source", XENIUM),
        "pixel_size_um": registered.pixel_size_um,
        "he_width_px": registered.he_width_px,
        "he_height_px": registered.he_height_px,
        "he_pixel_um": registered.he_um_per_px,
    }
