"""One patch as a trained network sees it, against what is drawn and labelled there."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.agreement import Agreement, agreement
from sthelar_build.core.class_quality import class_quality
from sthelar_build.core.detection import Centres, DetectionCounts, detect
from sthelar_build.core.instance_entries import instance_entries
from sthelar_build.core.nucleus_votes import type_votes
from sthelar_build.core.patches import type_map
from sthelar_build.core.predicted_maps import PredictedPatch, without_unassigned
from sthelar_build.core.voted_maps import typed_instances, voted_types

_CENTRE = 0.5
"""Centre of the first pixel; the entries of a map have means of pixel numbers."""


class TruePatch(NamedTuple):
    """What is drawn in a patch; codes are those of ``ModelClasses``."""

    patch_id: int
    dense: NDArray[np.int32]
    """(y, x): instances 1..n, 0 is background."""
    code_of: NDArray[np.uint8]
    """(n,) code of every instance."""


class SeenPatch(NamedTuple):
    """What the network says of the same patch, in the same codes."""

    nuclei: PredictedPatch
    """Types of the nuclei as codes."""
    types: NDArray[np.uint8]
    """(y, x) code of every pixel."""


class PatchScores(NamedTuple):
    """How well they agree."""

    patch_id: int
    agreement: Agreement
    """Dice and Jaccard of the pixels before the watershed, bPQ of the nuclei with a type."""
    pq: NDArray[np.float64]
    """(codes,) panoptic quality of every class; NaN where it is not in the truth."""
    detection: DetectionCounts
    votes: NDArray[np.int64]
    """(n, codes) pixels of every drawn nucleus by the code that the network gives them."""
    seen_px: NDArray[np.int64]
    """(n,) those that it calls nucleus."""

    @property
    def mpq(self) -> float:
        """Mean of ``pq`` over what is defined; NaN if nothing is."""
        there = self.pq[~np.isnan(self.pq)]
        return float(there.mean()) if len(there) else math.nan


def score_patch(true: TruePatch, seen: SeenPatch, n_codes: int, radius_px: float) -> PatchScores:
    """Compare one patch.

    Parameters
    ----------
    true, seen
        Both sides; codes are 0 (background) to ``n_codes - 1``.
    n_codes
        Number of codes.
    radius_px
        Farthest that the centres of a true and a predicted nucleus may lie apart to be one, see ``core.detection``.

    Notes
    -----
    What ``core.agreement``, ``core.class_quality`` and ``core.detection`` say of degenerate patches holds here. Of a patch
    without true nuclei, only the nuclei that are found there count, as spurious.
    """
    predicted, nuclei = seen.nuclei.instances, seen.nuclei.nuclei
    whole = without_unassigned(predicted)
    codes = np.zeros(len(nuclei.ids), np.uint8) if nuclei.type_index is None else nuclei.type_index
    true_types = type_map(true.dense, true.code_of)
    entries = instance_entries(true.dense, true_types)
    n = len(true.code_of)
    return PatchScores(
        true.patch_id,
        agreement(true.dense, typed_instances(whole, nuclei.ids, codes), foreground=predicted),
        class_quality(
            true.dense, true_types, whole, voted_types(whole, nuclei.ids, codes), n_codes
        ).pq,
        detect(
            Centres(entries.centroid_px + _CENTRE, entries.type_index),
            Centres(nuclei.centroid_px.astype(np.float64), codes.astype(np.int64)),
            radius_px,
            n_codes,
        ),
        type_votes(true.dense, seen.types, n, n_codes),
        np.bincount(true.dense[predicted != 0], minlength=n + 1)[1:],
    )


def recoded(nuclei: PredictedPatch, types: NDArray[Any], codes: NDArray[np.uint8]) -> SeenPatch:
    """Return a prediction in our codes; ``codes`` is the code of every type of the network."""
    found = nuclei.nuclei
    type_index = None if found.type_index is None else codes[found.type_index]
    return SeenPatch(nuclei._replace(nuclei=found._replace(type_index=type_index)), codes[types])
