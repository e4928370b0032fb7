"""The tables of an evaluation: a row per nucleus, a row per patch, and the parts that they are told by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sthelar_build.core.confusion import confusion
from sthelar_build.core.detection import DetectionCounts
from sthelar_build.core.model_classes import ModelClasses
from sthelar_build.core.model_parts import PATCH_METRICS, Part
from sthelar_build.core.model_scores import PatchScores
from sthelar_build.core.nucleus_votes import SlideVotes
from sthelar_build.core.pannuke_labels import voted_types
from sthelar_build.schema.words import NO_BACKGROUND, NO_NUCLEUS

IN_NO_SPLIT = "none"
"""Name of the part of patches that are in no split."""
PART_NAMES = ("test", "valid", "train", IN_NO_SPLIT)
"""In the order in which they are told of."""
_RANKED_SPLITS = (None, "test", "valid", "train")

_PATCH_COLUMNS = ("patch_id", "split", *PATCH_METRICS, "n_true", "n_predicted", "reason")


def split_rank(split: str | None) -> int:
    """Return the rank of a split, see ``SlideVotes``: a nucleus that two splits show may have been learnt from in train."""
    return _RANKED_SPLITS.index(split)


def split_word(split: Any) -> str:
    """Return the name of the part that a value of the column ``split`` stands for."""
    return split if isinstance(split, str) else IN_NO_SPLIT


def pq_columns(classes: Sequence[str]) -> list[str]:
    """Return the names of the columns of panoptic quality."""
    return [f"PQ_{name}" for name in classes]


def patch_row(split: str | None, scores: PatchScores, n_classes: int) -> tuple[Any, ...]:
    """Return the values of a row of ``patch_frame``; metrics of a patch without true nuclei are missing."""
    found, reason = scores.agreement, None
    values = np.array([found.dice, found.jaccard, found.bpq, scores.mpq])
    if not found.n_true:
        reason, values[:] = NO_NUCLEUS, np.nan
    elif np.isnan(found.bpq):
        reason = NO_BACKGROUND
    counts = found.n_true, scores.detection.tp + scores.detection.fp
    return (scores.patch_id, split, *values, *counts, reason, *scores.pq[1 : n_classes + 1])


def patch_frame(rows: Sequence[tuple[Any, ...]], classes: ModelClasses) -> pd.DataFrame:
    """Return the columns of EVALUATED_PATCHES, then PQ_{class} of every class."""
    names = pq_columns(classes.grouping.names)
    frame = pd.DataFrame(rows, columns=[*_PATCH_COLUMNS, *names])
    return frame.astype(dict.fromkeys([*PATCH_METRICS, *names], np.float64))


def nucleus_frame(owners: pd.DataFrame, votes: SlideVotes, classes: ModelClasses) -> pd.DataFrame:
    """Return the columns of EVALUATED_NUCLEI for the nuclei that a patch shows.

    ``owners`` has, by nucleus id, ``cell_id``, ``final_label``, ``confidence`` and the ``code`` of the class.
    """
    shown = votes.shown
    code, share = voted_types(votes.votes[shown].astype(np.int64))
    mine = owners.loc[shown]
    true = mine["code"].to_numpy(np.int64)
    names = np.array(classes.names, dtype=object)
    return pd.DataFrame(
        {
            "nucleus_id": shown.astype(np.uint32),
            "cell_id": mine["cell_id"].to_numpy(),
            "split": [_RANKED_SPLITS[rank] for rank in votes.rank[shown]],
            "n_patches": votes.n_patches[shown],
            "final_label": mine["final_label"].to_numpy(),
            "rna_class": names[true],
            "voted_type": names[code],
            "voted_share": share.astype(np.float32),
            "seen_share": (votes.seen_px[shown] / votes.votes[shown].sum(axis=1)).astype(
                np.float32
            ),
            "confidence": mine["confidence"].to_numpy(np.float32),
            "agrees": code == true,
        }
    )


def parts_of(
    slide: str,
    nuclei: pd.DataFrame,
    patches: pd.DataFrame,
    detection: Mapping[str, DetectionCounts],
    names: Sequence[str],
    n_classes: int,
) -> list[Part]:
    """Return a part for every split of ``detection``; ``names`` are those of the codes, see ``ModelClasses``."""
    codes = pd.Index(names)
    of_nucleus, of_patch = (
        table["split"].map(split_word).to_numpy(object) for table in (nuclei, patches)
    )
    parts = []
    for split in (name for name in PART_NAMES if name in detection):
        mine, shown = nuclei[of_nucleus == split], patches[of_patch == split]
        true, voted = (codes.get_indexer(mine[column]) for column in ("rna_class", "voted_type"))
        part = Part(
            slide,
            split,
            {name: shown[name].to_numpy(np.float64) for name in PATCH_METRICS},
            shown[pq_columns(names[1 : n_classes + 1])].to_numpy(np.float64),
            confusion(true, voted, n_classes, len(names)),
            detection[split],
            mine["confidence"].to_numpy(np.float32),
            mine["agrees"].to_numpy(np.bool_),
            true.astype(np.uint8),
        )
        parts.append(part)
    return parts
