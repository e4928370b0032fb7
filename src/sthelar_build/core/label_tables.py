"""The tables of labels and of evidence, from the calls of clusters and cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.clusters import Clustering
from sthelar_build.core.malignancy import malignancy
from sthelar_build.core.refinement import CellCalls, ClusterCall
from sthelar_build.schema.labels import OTHER
from sthelar_build.schema.tables import EVIDENCE
from sthelar_build.schema.vocabulary import LESS_THAN_TEN, FineLabel
from sthelar_build.schema.words import CELL_EVIDENCE, LOW_COUNT

_WORDS = ["final_label", "label1", "label2", "label3"]


def label_cells(
    cell_ids: Sequence[str] | pd.Series,
    clustering: Clustering,
    calls: Sequence[ClusterCall],
    cell_calls: CellCalls,
    enough: NDArray[np.bool_],
    condition: str,
) -> pd.DataFrame:
    """Return one row per cell of the bundle, in the order of ``cell_ids``, with the columns of LABELS.

    Cells outside the clustering, and clustered ones without ``enough`` transcripts, are Other with the
    labels less10; the others are what their call says.
    """
    ids, number = clustering.cell_ids[enough], cell_calls.cluster[enough]
    words = [label_words(call.entry, condition) for call in calls]
    called = pd.DataFrame(words, columns=_WORDS, dtype=object).take(number).set_axis(ids)
    called["confidence"] = cell_calls.confidence[enough]
    by_cluster = np.array([call.decided_by for call in calls], dtype=object)[number]
    called["decided_by"] = np.where(cell_calls.moved[enough], CELL_EVIDENCE, by_cluster)
    names = np.array(clustering.names, dtype=object)
    called["cluster"] = names[clustering.clusters[enough]]
    table = called.reindex(pd.Index(cell_ids)).rename_axis("cell_id").reset_index()
    low = ~table["cell_id"].isin(ids)
    silent = {"final_label": OTHER, "confidence": 0.0, "decided_by": LOW_COUNT}
    silent |= dict.fromkeys(("label1", "label2", "label3"), LESS_THAN_TEN)
    for column, value in silent.items():
        table[column] = table[column].where(~low, value)
    table["cluster"] = table["cluster"].astype(object).where(~low, None)
    return table.astype({"confidence": np.float32})


def describe_clusters(
    clustering: Clustering,
    calls: Sequence[ClusterCall],
    top_genes: Sequence[Sequence[str]],
    condition: str,
) -> pd.DataFrame:
    """Return one row per cluster with the columns of EVIDENCE; ``cluster_key`` is left to curation."""
    sizes = np.bincount(clustering.clusters, minlength=len(clustering.names))
    rows = [
        {
            "cluster": name,
            "n_cells": size,
            "tangram_label": call.tangram_label,
            "tangram_class": call.seen.tangram_class,
            "tangram_share": call.seen.tangram_share,
            "marker_label": call.marker_label,
            "marker_class": call.seen.marker_class,
            "marker_score": call.seen.marker_score,
            "marker_margin": call.seen.marker_margin,
            "top_genes": ",".join(genes),
            **label_words(call.entry, condition),
            "label3_reason": malignancy(call.entry, condition).reason,
            "decided_by": call.decided_by,
            "reason": call.reason,
        }
        for name, size, call, genes in zip(clustering.names, sizes, calls, top_genes, strict=True)
    ]
    table = pd.DataFrame(rows, columns=EVIDENCE.names)
    floats = ("tangram_share", "marker_score", "marker_margin")
    return table.astype({"n_cells": np.uint32, **dict.fromkeys(floats, np.float32)})


def label_words(entry: FineLabel, condition: str) -> dict[str, str | None]:
    """Return what the four columns of labels say of a fine label on a slide of this condition."""
    return {
        "final_label": entry.class_name,
        "label1": entry.label1,
        "label2": entry.label,
        "label3": malignancy(entry, condition).label3,
    }
