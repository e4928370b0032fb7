"""What the report says of the labels."""

from __future__ import annotations

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
from sthelar_build.schema.tables import EVIDENCE, OVERRIDES

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


def shown_labels(
    labels: pd.DataFrame,
    files: dict[str, Path],
    *,
    umap_points: int,
    markers_per_class: int,
    picture_px: int,
) -> ShownLabels:
    """Return what the page says.

    Parameters
    ----------
    labels
        Columns of LABELS.
    files
        ``evidence``, ``overrides``, ``clusters_cells``, ``counts_cells``, ``tangram_cells``; ``pictures``, the folder.
    umap_points, markers_per_class, picture_px
        Settings of the report.
    """
    evidence = read_table(files["evidence"], EVIDENCE)
    return ShownLabels(
        annotation=summary.annotation(labels),
        classes=summary.composition(labels["final_label"]),
        evidence=evidence,
        second_opinion=read_attributes(files["evidence"]).get("second_opinion", []),
        decisions=list(summary.decisions(read_table(files["overrides"], OVERRIDES))),
        pictures=captioned_pictures(files["pictures"], picture_px, without=_DRAWN_BY_THE_PAGE),
        umap=shown_umap(files["clusters_cells"], labels, evidence, umap_points),
        dots=marker_dots(files["counts_cells"], labels, markers_per_class),
        tangram=tangram_table(files["tangram_cells"], labels),
    )
