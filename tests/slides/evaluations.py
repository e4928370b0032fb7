"""For ``compare``: evaluations of a slide from lists of classes, as ``evaluate`` leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sthelar_build.core.detection import DetectionCounts
from sthelar_build.core.evaluated_tables import parts_of, pq_columns
from sthelar_build.core.model_classes import match_classes
from sthelar_build.io.evaluations import class_facts, part_facts, write_evaluation

CLASSES = match_classes({"Background": 0, "cancer_cell": 1, "normal_cell": 2, "Odd": 3})
"""Of cancer_normal: 1 cancer_cell, 2 normal_cell, 3 Other, which the network does not know; 4 Odd, which is no class."""
SOURCE = {"stage": "test"}


def nuclei(pairs: list[tuple[int, int]], split: str | None = "test") -> pd.DataFrame:
    """Return a row per pair of codes: of the RNA, and of the network; confidences rise from 0."""
    true, voted = (np.array(codes, dtype=int).reshape(-1) for codes in zip(*pairs, strict=True))
    names = np.array(CLASSES.names, dtype=object)
    n = len(pairs)
    return pd.DataFrame(
        {
            "nucleus_id": np.arange(1, n + 1, dtype=np.uint32),
            "cell_id": [f"cell{number}-1" for number in range(n)],
            "split": split,
            "n_patches": np.ones(n, dtype=np.uint16),
            "final_label": "Epithelial",
            "rna_class": names[true],
            "voted_type": names[voted],
            "voted_share": np.float32(0.9),
            "seen_share": np.float32(0.8),
            "confidence": (np.arange(n) / n).astype(np.float32),
            "agrees": true == voted,
        }
    )


def patches(quality: float, n: int = 3, split: str | None = "test") -> pd.DataFrame:
    """Return patches that all have metrics of this value, and one without nuclei."""
    values = np.array([quality] * n + [np.nan])
    columns = dict.fromkeys(("Dice", "Jaccard", "bPQ", "mPQ"), values)
    pq = dict.fromkeys(pq_columns(CLASSES.grouping.names[:2]), values)
    ids = {"patch_id": np.arange(n + 1, dtype=np.uint32), "split": split}
    counts = {"n_true": np.uint32(2), "n_predicted": np.uint32(2)}
    reason = {"reason": [None] * n + ["no_nucleus"]}
    return pd.DataFrame({**ids, **columns, **counts, **reason, **pq, "PQ_Other": np.nan})


def detection(tp: int, fp: int, fn: int) -> DetectionCounts:
    """Return counts whose pairs are all of code 1."""
    both, extra = np.array([0, tp, 0, 0, 0]), np.zeros(5, dtype=np.int64)
    spurious, missed = np.array([0, fp, 0, 0, 0]), np.array([0, fn, 0, 0, 0])
    return DetectionCounts(tp, fp, fn, both, extra, extra, spurious, missed)


def write(
    folder: Path,
    slide: str,
    cells: pd.DataFrame,
    shown: pd.DataFrame,
    counts: dict[str, DetectionCounts],
    **changed: Any,
) -> Path:
    """Write an evaluation and return its manifest."""
    parts = parts_of(slide, cells, shown, counts, CLASSES.names, CLASSES.n_classes)
    record = {
        "slide": slide,
        "scale": "40x",
        "network": {
            "file": "net.pth", "arch": "CellViT", "sha256": "ab" * 32, "magnification": 40, "nuclei_types": {},
        },
        "ran_on": {"device": "cpu", "precision": "fp32"},
        "magnification": 40,
        **class_facts(CLASSES),
        "evaluated_splits": ["test"],
        "qc_jaccard": 0.5,
        "splits": {part.split: part_facts(part, CLASSES.grouping.other) for part in parts},
        **changed,
    }  # fmt: skip
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_evaluation(folder, cells, shown, record, SOURCE)
    return folder / "manifest.json"


def confused(n: int, wrong: int) -> pd.DataFrame:
    """Return n cancer cells, the first ``wrong`` of which are taken for normal ones, and n normal cells."""
    return nuclei([(1, 2)] * wrong + [(1, 1)] * (n - wrong) + [(2, 2)] * n)
