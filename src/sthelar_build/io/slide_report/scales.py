"""What the report says of the masks at one scale."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sthelar_build.core import summary
from sthelar_build.core.source_difference import source_words
from sthelar_build.io.displacement_curves import ShownCurves, shown_curves
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.masks import open_masks
from sthelar_build.io.pictures.patch_gallery import ShownPatch, patch_gallery
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.schema.tables import METRIC_NAMES, METRICS, PATCHES
from sthelar_build.settings.report import ReportSettings


@dataclass(frozen=True)
class ScaleFiles:
    """The files of one scale."""

    name: str
    patches: Path
    masks: Path
    metrics: Path
    displacement: Path | None


@dataclass(frozen=True)
class ShownScale:
    """What the page says about one scale."""

    name: str
    um_per_px: float
    side_px: int
    n_nuclei: int
    n_slivers: int | None
    source: str | None
    agreement: summary.Agreement
    coverage: summary.Coverage
    segmented_by: str | None
    """What the masks are compared with."""
    displaced: ShownCurves | None
    """What the metrics fall to when the masks are displaced; None if not measured."""
    histograms: dict[str, summary.Histogram]
    gallery: dict[str, list[ShownPatch]]


def shown_scale(files: ScaleFiles, image: HeImage, settings: ReportSettings) -> ShownScale:
    """Return what the page says; the gallery is cut from the H&E, patch by patch."""
    masks = open_masks(files.masks.parent)
    measured = read_table(files.metrics, METRICS)
    grid = read_table(files.patches, PATCHES).set_index("patch_id")
    return ShownScale(
        name=files.name,
        um_per_px=float(masks.manifest["um_per_px"]),
        side_px=masks.side_px,
        n_nuclei=int(masks.table["nucleus_id"].nunique()),
        n_slivers=masks.manifest.get("n_slivers"),
        source=source_words(masks.manifest),
        agreement=summary.agreement(measured, settings.min_jaccard),
        coverage=summary.coverage(
            measured.join(grid["covered_fraction"], on="patch_id"),
            settings.min_covered,
            settings.min_jaccard,
        ),
        segmented_by=read_attributes(files.metrics).get("segmented_by"),
        displaced=shown_curves(files.displacement) if files.displacement else None,
        histograms={name: summary.histogram(measured[name], 0, 1) for name in METRIC_NAMES},
        gallery=patch_gallery(measured, grid, masks, image, settings.gallery_patches),
    )
