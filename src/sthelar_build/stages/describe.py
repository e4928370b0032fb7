"""Describe a dataset that is complete: card, page, Croissant, and a picture of samples."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from sthelar_build.core.dataset_formats import (
    format_facts,
    selection_facts,
    whole_slide_facts,
)
from sthelar_build.core.dataset_verdicts import dataset_verdicts
from sthelar_build.core.slide_outliers import slide_outliers
from sthelar_build.core.slide_rows import slide_row
from sthelar_build.core.summary import agreement, annotation
from sthelar_build.io.croissant import file_size
from sthelar_build.io.dataset_descriptions import table_names, write_descriptions
from sthelar_build.io.images.he import open_he
from sthelar_build.io.loading import loading_examples, slide_examples, torch_example
from sthelar_build.io.pictures.dataset_samples import SampledSlide, dataset_samples
from sthelar_build.io.pictures.embedded import picture_file, picture_of
from sthelar_build.io.pictures.sample_grid import write_sample_grid
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import Provenance, provenance
from sthelar_build.io.records import PROVENANCE, read_record
from sthelar_build.io.tables import read_table
from sthelar_build.options import (
    InFile,
    InFiles,
    MaybeInFiles,
    OutFile,
    Words,
    as_json,
    in_step,
)
from sthelar_build.schema.tables import LABELS, METRICS, SPLITS
from sthelar_build.settings.describe import DescribeSettings
from sthelar_build.settings.report import VerdictLimits

logger = logging.getLogger(__name__)

_SAMPLES = "samples.png"
_FACTS = ("scale", "side_px", "split", "slides", "classes", "splits", "consistency")
_OF_MANIFEST = ("format", "n_patches", "n_patches_total", "slides", "files")
_OF_WHOLE_SLIDES = ("format", "slides", "files")
_SAMPLES_PX = 16_000
_REPORT = "../../{slide}/report.html"
"""From the page of a dataset to that of a slide."""


@dataclass(frozen=True)
class _Slide:
    """One slide of the dataset, and where its artefacts lie."""

    name: str
    he: Path
    patches: Path
    masks: Path
    metrics: Path
    labels: Path


def run(
    facts: InFile,
    slide: Words,
    he: InFiles,
    patches: InFiles,
    masks: InFiles,
    metrics: InFiles,
    labels: InFiles,
    out: OutFile,
    settings: Annotated[DescribeSettings, as_json(DescribeSettings)],
    limits: Annotated[VerdictLimits, as_json(VerdictLimits)],
    manifests: MaybeInFiles = None,
    slide_manifests: MaybeInFiles = None,
) -> None:
    """Describe the dataset in the folder of ``facts``; the lists of files are in the order of the slides.

    The limits of its verdicts are those of the slides' own reports.
    """
    manifests = manifests or []
    gathered = read_record(facts, _FACTS)
    exports = {path: read_record(path, _OF_MANIFEST) for path in manifests}
    whole = [read_record(path, _OF_WHOLE_SLIDES) for path in slide_manifests or []]
    tables = {name: _table(facts.parent / name) for name in table_names()}
    files = in_step(
        slide=slide, he=he, patches=patches, masks=masks, metrics=metrics, labels=labels
    )
    slides = [_Slide(*one) for one in sorted(files)]
    sampled = [SampledSlide(one.name, one.he, one.patches, one.masks) for one in slides]
    per_slide, max_slides = settings.samples_per_slide, settings.max_sample_slides
    rows = dataset_samples(sampled, tables, per_slide, max_slides)
    write_sample_grid(out / _SAMPLES, rows)
    source = _source(facts, [*manifests, *(slide_manifests or [])], gathered, settings, limits)
    first = gathered["slides"][0]["name"]
    values = {
        **settings.model_dump(
            include={"title", "licence", "url", "creators", "date_published", "citation"}
        ),
        **{name: gathered[name] for name in _FACTS},
        **_judged(slides, gathered, settings, limits),
        "formats": format_facts(list(exports.values())),
        "whole_slides": whole_slide_facts(whole),
        "selections": selection_facts(list(exports.values())),
        "samples": picture_file(out / _SAMPLES, _SAMPLES_PX) if rows else None,
        "loading": loading_examples(first, int(gathered["side_px"])),
        "slide_loading": slide_examples(first),
        "torch": torch_example([manifest["format"] for manifest in exports.values()]),
    }
    missing = write_descriptions(out, values, tables, _downloads(exports), source)
    if missing:
        logger.warning(
            "croissant.json: Croissant 1.0 also asks for %s; name them in the settings of describe before you publish",
            ", ".join(missing),
        )


def _judged(
    slides: Sequence[_Slide],
    gathered: Mapping[str, Any],
    settings: DescribeSettings,
    limits: VerdictLimits,
) -> dict[str, Any]:
    """Return the slides side by side, those that stand out, and what that says of the dataset."""
    known = {one["name"]: one for one in gathered["slides"]}
    rows = [
        _compared(one, known[one.name], settings.thumbnail_px, limits)
        for one in progress(slides, "slides side by side", len(slides))
    ]
    outliers = slide_outliers(rows, settings.max_deviation, settings.min_slides)
    for one in outliers:
        logger.warning("%s: %s", one.slide, one.words)
    answers = dataset_verdicts(
        rows,
        gathered["split"],
        gathered["classes"],
        outliers,
        gathered["consistency"]["flags"],
        settings.min_slides,
    )
    return {
        "slides": rows,
        "outliers": outliers,
        "odd": {(one.slide, one.key) for one in outliers},
        "answers": answers,
        "limits": limits,
        "min_slides": settings.min_slides,
        "max_deviation": settings.max_deviation,
    }


def _compared(
    one: _Slide, known: Mapping[str, Any], thumbnail_px: int, limits: VerdictLimits
) -> dict[str, Any]:
    labels = read_table(one.labels, LABELS, ["decided_by", "confidence"])
    measured = read_table(one.metrics, METRICS)
    row = slide_row(
        known,
        annotation(labels),
        agreement(measured, limits.min_jaccard),
        limits.min_decided,
        limits.min_kept,
    )
    with open_he(one.he) as image:
        thumbnail = picture_of(image.thumbnail(thumbnail_px))
    return {**row, "thumbnail": thumbnail, "report": _REPORT.format(slide=one.name)}


def _table(path: Path) -> pd.DataFrame:
    return read_table(path, SPLITS) if path.suffix == ".parquet" else pd.read_csv(path)


def _source(
    facts: Path,
    manifests: Sequence[Path],
    gathered: Mapping[str, Any],
    settings: DescribeSettings,
    limits: VerdictLimits,
) -> Provenance:
    """Return our provenance, with the limits of the verdicts, and that of the splits and tables."""
    inputs = {"facts": facts, **{f"{path.parent.name}/manifest": path for path in manifests}}
    own = provenance("describe", settings, inputs)
    return {**own, "limits": limits.model_dump(), "collect": gathered[PROVENANCE]}


def _downloads(exports: Mapping[Path, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return every exported file; large ones, of which the manifest samples the checksum, are read whole."""
    found: dict[str, dict[str, Any]] = {}
    for path, manifest in sorted(exports.items()):
        about = f"Part of the dataset in the format {manifest['format']}."
        for name, file in progress(
            manifest["files"].items(), f"files of {manifest['format']}", len(manifest["files"])
        ):
            size = file_size(path.parent / name) if file.get("sampled") else file
            sized = {"bytes": size["bytes"], "sha256": size["sha256"]}
            found[f"{path.parent.name}/{name}"] = {"description": about, **sized}
    return found
