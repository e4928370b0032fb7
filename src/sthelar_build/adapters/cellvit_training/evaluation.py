"""How good a network is on patches whose truth is known: pixels, nuclei, classes, tissues."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.adapters.cellvit_training.inference import Prediction
from sthelar_build.core.agreement import Agreement, agreement
from sthelar_build.core.class_quality import class_quality, nan_mean
from sthelar_build.core.detection import RADIUS_PX, Centres, DetectionCounts, Scores, detect
from sthelar_build.core.instance_entries import instance_entries
from sthelar_build.core.voted_maps import typed_instances, voted_types

Record = dict[str, Any]
_NAMES = ("Dice", "Jaccard", "bPQ")


def mean_agreement(found: Iterable[Prediction]) -> dict[str, float]:
    """Return the means of Dice, Jaccard and bPQ over the patches in which each is defined; 0 where it is in none."""
    scores = _scores([patch_agreement(one) for one in found])
    return {name: _or(nan_mean(scores[:, i]), 0.0) for i, name in enumerate(_NAMES)}


def patch_agreement(found: Prediction) -> Agreement | None:
    """Return the agreement of one patch; None where nothing is true.

    Dice and Jaccard are of the pixels before post-processing, bPQ of the nuclei with an entry and a type, as in CellViT.
    """
    true, nuclei = found.patch.instances, found.nuclei
    counted = typed_instances(nuclei.instances, nuclei.ids, nuclei.type_index)
    return agreement(true, counted, found.nucleus) if true.any() else None


@dataclass
class Evaluation:
    """Sums over patches that are added one by one."""

    nuclei_types: Mapping[str, int]
    tissue_types: Mapping[str, int]

    def __post_init__(self) -> None:
        n = len(self.nuclei_types)
        self._agreements: list[Agreement | None] = []
        self._class_pq: list[NDArray[np.float64]] = []
        self._tissues: list[tuple[int, int]] = []
        self._detected = DetectionCounts.none(n)

    def add(self, found: Prediction) -> None:
        """Take a patch in."""
        n, patch, nuclei = len(self.nuclei_types), found.patch, found.nuclei
        types = voted_types(nuclei.instances, nuclei.ids, nuclei.type_index)
        quality = class_quality(patch.instances, patch.types, nuclei.instances, types, n)
        true = instance_entries(patch.instances, patch.types)
        self._agreements.append(patch_agreement(found))
        self._class_pq.append(quality.pq)
        self._tissues.append((patch.tissue, found.tissue))
        self._detected += detect(
            Centres(true.centroid_px, true.type_index),
            Centres(nuclei.centroid_px, nuclei.type_index),
            RADIUS_PX[found.magnification],
            n,
        )

    def record(self) -> Record:
        """Return what ``evaluation.json`` says: means over patches, counts over all; null where nothing is to be scored."""
        scores = _scores(self._agreements)
        class_pq = np.array(self._class_pq).reshape(-1, len(self.nuclei_types))
        tissues = np.array(self._tissues).reshape(-1, 2)
        return {
            "n_patches": len(tissues),
            **_means(scores),
            "mPQ": _number(nan_mean(np.array([nan_mean(row) for row in class_pq]))),
            "detection": _detection(self._detected.scores()),
            "tissue_accuracy": _number(nan_mean((tissues[:, 0] == tissues[:, 1]).astype(float))),
            "classes": self._classes(class_pq),
            "tissues": {
                name: {"n_patches": int(here.sum()), **_means(scores[here])}
                for name, number in self.tissue_types.items()
                for here in [tissues[:, 0] == number]
            },
        }

    def _classes(self, class_pq: NDArray[np.float64]) -> Record:
        detected = self._detected.scores_by_type()
        return {
            name: {"PQ": _number(nan_mean(class_pq[:, number])), **_detection(detected[number])}
            for name, number in self.nuclei_types.items()
            if number
        }


def table_lines(record: Record) -> list[str]:
    """Return an evaluation as lines of a log: the whole, then every class."""
    whole = record | {f"detection {name}": value for name, value in record["detection"].items()}
    names = (*_NAMES, "mPQ", "detection F1", "tissue_accuracy")
    head = ", ".join(f"{name} {_text(whole[name])}" for name in names)
    width = max(map(len, record["classes"]), default=0)
    return [
        f"test, {record['n_patches']} patches: {head}",
        *(
            f"{name:{width}s}  " + "  ".join(f"{key} {_text(value)}" for key, value in of.items())
            for name, of in record["classes"].items()
        ),
    ]


def _scores(found: list[Agreement | None]) -> NDArray[np.float64]:
    """Return Dice, Jaccard and bPQ (columns) of every patch, NaN where there are none."""
    rows = [(one.dice, one.jaccard, one.bpq) if one else (math.nan,) * 3 for one in found]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _means(scores: NDArray[np.float64]) -> Record:
    return {name: _number(nan_mean(scores[:, i])) for i, name in enumerate(_NAMES)}


def _detection(scores: Scores) -> Record:
    return {
        "F1": _number(scores.f1),
        "precision": _number(scores.precision),
        "recall": _number(scores.recall),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _or(value: float, default: float) -> float:
    return default if math.isnan(value) else value


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
