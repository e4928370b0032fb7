"""What the report says of the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sthelar_build.core import summary
from sthelar_build.core.class_expression import DotPlot
from sthelar_build.core.class_table import ClassTable
from sthelar_build.io.pictures.embedded import Picture, captioned_pictures
from sthelar_build.io.slide_report.dots import marker_dots
from sthelar_build.io.slide_report.tangram import tangram_table
from sthelar_build.io.slide_report.umap import ShownUmap, shown_umap
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.schema.tables import EVIDENCE, LABELS, OVERRIDES
from sthelar_build.settings.report import ReportSettings

_DRAWN_BY_THE_PAGE = ("umap_classes", "umap_clusters", "dotplot")
"""Pictures of ``refine`` that the page has in a form of its own."""


@dataclass(frozen=True, eq=False)
class ShownLabels:
    """What the page says of the labels."""

    annotation: summary.Annotation
    classes: list[summary.Part]
    evidence: pd.DataFrame
    """Columns of EVIDENCE, a row per cluster."""
    second_opinion: list[dict[str, Any]]
    decisions: list[summary.HumanDecision]
    pictures: list[tuple[str, Picture]]
    umap: ShownUmap | None
    """None where no cell was clustered."""
    dots: DotPlot
    tangram: ClassTable


def shown_labels(files: Mapping[str, Path], settings: ReportSettings) -> ShownLabels:
    """Return what the page says.

    ``files`` are ``labels``, ``evidence``, ``overrides``, ``clusters_cells``, ``counts_cells`` and ``tangram_cells``, and
    ``refine_pictures``, the folder of those that ``refine`` drew.
    """
    labels, evidence = read_table(files["labels"], LABELS), read_table(files["evidence"], EVIDENCE)
    return ShownLabels(
        annotation=summary.annotation(labels),
        classes=summary.composition(labels["final_label"]),
        evidence=evidence,
        second_opinion=read_attributes(files["evidence"]).get("second_opinion", []),
        decisions=list(summary.decisions(read_table(files["overrides"], OVERRIDES))),
        pictures=captioned_pictures(
            files["refine_pictures"], settings.picture_px, without=_DRAWN_BY_THE_PAGE
        ),
        umap=shown_umap(files["clusters_cells"], labels, evidence, settings.umap_points),
        dots=marker_dots(files["counts_cells"], labels, settings.markers_per_class),
        tangram=tangram_table(files["tangram_cells"], labels),
    )
