"""Write the report of a slide: one page that needs nothing beside it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from sthelar_build.core import quality_words, summary
from sthelar_build.core.review_facts import review_facts
from sthelar_build.core.slide_verdicts import slide_verdicts
from sthelar_build.core.source_difference import source_words
from sthelar_build.core.wording import count, in_words
from sthelar_build.io.displacement_curves import ShownCurves, shown_curves
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.lineage import lineage
from sthelar_build.io.masks import open_masks
from sthelar_build.io.pages import write_page
from sthelar_build.io.pictures.embedded import captioned_pictures
from sthelar_build.io.pictures.patch_gallery import ShownPatch, patch_gallery
from sthelar_build.io.pictures.viewer import read_viewer
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.io.transform import Transform, read_transform
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
from sthelar_build.schema.labels import PATCH_CLASSES
from sthelar_build.schema.tables import (
    EVIDENCE,
    LABELS,
    METRIC_NAMES,
    METRICS,
    OVERRIDES,
    PATCHES,
    REGISTRATION,
)
from sthelar_build.schema.words import XENIUM
from sthelar_build.settings.report import ReportSettings

logger = logging.getLogger(__name__)

_LARGEST_RESIDUAL_UM = 5.0
_COUNTS = ("n_cells", "n_nuclei", "n_transcripts")


@dataclass(frozen=True)
class _Scale:
    """What the page says about one scale."""

    name: str
    um_per_px: float
    side_px: int
    n_nuclei: int
    n_slivers: int | None
    source: str | None
    agreement: summary.Agreement
    segmented_by: str | None
    """What the masks are compared with."""
    displaced: ShownCurves | None
    """What the metrics fall to when the masks are displaced; None if not measured."""
    histograms: dict[str, summary.Histogram]
    gallery: dict[str, list[ShownPatch]]


def run(
    slide: Word,
    preflight: InFile,
    bundle: InFile,
    transform: InFile,
    registration: InFile,
    registration_pictures: InFile,
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
    found = read_record(preflight, ("facts", "problems"))
    facts = read_record(bundle, ("xoa_version", "genes", *_COUNTS))
    registered = read_transform(transform)
    tiles = read_table(registration, REGISTRATION)
    clusters = read_table(evidence, EVIDENCE)
    decided = read_table(overrides, OVERRIDES)
    cells = read_table(labels, LABELS)
    files = in_step(scale=scale, patches=patches, masks=masks, metrics=metrics)
    curves = dict(in_step(scale=scale, displacement=displacement)) if displacement else {}
    with open_he(he) as image:
        scales = [
            _scale(name, grid, manifest, measured, curves.get(name), image, settings)
            for name, grid, manifest, measured in files
        ]
    annotation = summary.annotation(cells)
    agreements = [shown.agreement for shown in scales]
    inputs = {
        "he": he,
        "preflight": preflight,
        "bundle": bundle,
        "transform": transform,
        "registration": registration,
        "evidence": evidence,
        "overrides": overrides,
        "labels": labels,
        "viewer_images": viewer_images,
        "viewer_nuclei": viewer_nuclei,
        **{f"patches_{name}": path for name, path, _, _ in files},
        **{f"masks_{name}": path for name, _, path, _ in files},
        **{f"metrics_{name}": path for name, _, _, path in files},
        **{f"displacement_{name}": path for name, path in curves.items()},
    }
    if curation:
        inputs["curation"] = curation
    source = provenance("report", settings, inputs)
    values = {
        "slide": slide,
        "settings": settings,
        "verdicts": slide_verdicts(
            registered.verdict, annotation, agreements, settings.min_decided, settings.min_kept
        ),
        "review": review_facts(slide, clusters, _text(curation)),
        "viewer": read_viewer(viewer_images, viewer_nuclei, report, settings.embedded_mb * 2**20),
        "problems": found["problems"],
        "facts": list(_facts(found["facts"], facts, registered)),
        "transform": registered,
        **_registration_words(registered),
        "residuals": summary.histogram(tiles["residual_um"], 0, _LARGEST_RESIDUAL_UM),
        "unmeasured": summary.parts(tiles["reason"]),
        "n_tiles": len(tiles),
        "registration_pictures": captioned_pictures(registration_pictures, settings.picture_px),
        "annotation": annotation,
        "classes": summary.composition(cells["final_label"]),
        "clusters": clusters.to_dict("records"),
        "second_opinion": read_attributes(evidence).get("second_opinion", []),
        "decisions": list(summary.decisions(decided)),
        "refine_pictures": captioned_pictures(refine_pictures, settings.picture_px),
        "scales": scales,
        "legend": [(c.name, c.hex_colour) for c in PATCH_CLASSES],
        "sources": [*lineage(inputs.values()), ("report.html", source)],
    }
    write_page(report, "report.html", values)
    logger.info("%s: %.1f MB", report, report.stat().st_size / 2**20)


def _text(path: Path | None) -> str | None:
    return None if path is None else path.read_text("utf-8-sig")


def _registration_words(registered: Transform) -> dict[str, Any]:
    """Return what the page says of the quality; files of earlier versions know less."""
    quality, kept = registered.quality, registered.kept
    return {
        "figures": quality_words.figures(quality),
        "decay": quality_words.decay_points(quality),
        "alternatives": quality_words.alternatives(registered.alternatives, kept),
        "kept": quality_words.kept_words(kept),
    }


def _scale(
    name: str,
    patches: Path,
    manifest: Path,
    metrics: Path,
    displacement: Path | None,
    image: HeImage,
    settings: ReportSettings,
) -> _Scale:
    masks = open_masks(manifest.parent)
    measured = read_table(metrics, METRICS)
    grid = read_table(patches, PATCHES).set_index("patch_id")
    return _Scale(
        name=name,
        um_per_px=float(masks.manifest["um_per_px"]),
        side_px=masks.side_px,
        n_nuclei=int(masks.table["nucleus_id"].nunique()),
        n_slivers=masks.manifest.get("n_slivers"),
        source=source_words(masks.manifest),
        agreement=summary.agreement(measured, settings.min_jaccard),
        segmented_by=read_attributes(metrics).get("segmented_by"),
        displaced=shown_curves(displacement) if displacement else None,
        histograms={name: summary.histogram(measured[name], 0, 1) for name in METRIC_NAMES},
        gallery=patch_gallery(measured, grid, masks, image, settings.gallery_patches),
    )


def _facts(
    preflight: Mapping[str, Any], bundle: Mapping[str, Any], registered: Transform
) -> Iterator[tuple[str, str]]:
    """Return what is known of the files as lines of text: name, value."""
    counted = {**{name: bundle[name] for name in _COUNTS}, "n_genes": len(bundle["genes"])}
    known = {
        "Xenium software version": bundle["xoa_version"],
        **{name.removeprefix("n_"): count(number) for name, number in counted.items()},
        "nuclei from": bundle.get("nuclei_source", XENIUM),
        "H&E, px": f"{registered.he_width_px} x {registered.he_height_px}",
        "H&E pixel, um (from the alignment)": f"{registered.he_um_per_px:.4f}",
        "morphology pixel, um": f"{registered.pixel_size_um:.4f}",
    }
    yield from known.items()
    shown = {*counted, "xoa_version", "pixel_size_um", "he_width_px", "he_height_px"}
    for name, value in preflight.items():
        if name not in shown:
            yield name.replace("_", " "), in_words(value)
