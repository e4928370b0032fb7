"""The file ``inference_results.json``, for those who read the original's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sthelar_build.core.dataset_quality import DatasetQuality
from sthelar_build.core.detection import Scores
from sthelar_build.io.atomic import published

FILE = "inference_results.json"


def write_inference_results(
    path: Path, quality: DatasetQuality, type_names: Mapping[str, int]
) -> None:
    """Write the metrics of a dataset under the keys of CellViT.

    ``dataset`` holds means over all patches and the scores of the detection, ``tissue_metrics`` means by tissue,
    ``image_metrics`` Dice, Jaccard and bPQ of every patch, ``nuclei_metrics_pq`` the PQ and ``nuclei_metrics_d`` the
    detection scores of every type of ``type_names`` (name -> index).

    What is not defined is a bare ``NaN``, which JSON does not know but the readers of this file expect: the one exception to
    null for missing in this project. Values are not rounded.
    """
    by_type, pq = quality.detection.scores_by_type(), quality.class_pq()
    record = {
        "dataset": {**quality.dataset(), **_scores(quality.detection.scores())},
        "tissue_metrics": quality.tissues(),
        "image_metrics": quality.images(),
        "nuclei_metrics_pq": {name: float(pq[k]) for name, k in type_names.items()},
        "nuclei_metrics_d": {name: _scores(by_type[k]) for name, k in type_names.items()},
    }
    with published(path) as draft:
        draft.write_text(json.dumps(record, indent=2, allow_nan=True) + "\n", encoding="utf-8")


def _scores(scores: Scores) -> dict[str, Any]:
    return scores._asdict()
