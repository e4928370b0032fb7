"""The tables of a comparison over all slides: by class, by slide, the confusion, agreement by confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from sthelar_build.core.confidence_bins import confidence_bins
from sthelar_build.core.confusion import class_scores
from sthelar_build.core.model_parts import SCORES, Part, mean_pq

JUDGED = ("bPQ", "detection_F1", "balanced_accuracy")
"""Scores by which a slide may fall behind."""
_FEWEST_SLIDES = 2


def class_table(parts: Sequence[Part], classes: Sequence[str]) -> pd.DataFrame:
    """Return a row per pooled part (one of each split) and class.

    ``n`` nuclei, each once; precision, recall and F1 of the voted classes; PQ as the mean over patches; and those of the
    detection, where a nucleus must be found too.
    """
    tables = []
    for part in parts:
        scores = class_scores(part.counts)
        found = part.detection.scores_by_type()[1 : len(classes) + 1]
        table = pd.DataFrame(
            {
                "split": part.split,
                "class": list(classes),
                "n": scores.n,
                "precision": scores.precision,
                "recall": scores.recall,
                "F1": scores.f1,
                "PQ": mean_pq(part),
                "detection_precision": [one.precision for one in found],
                "detection_recall": [one.recall for one in found],
                "detection_F1": [one.f1 for one in found],
            }
        )
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def confusion_table(parts: Sequence[Part], names: Sequence[str]) -> pd.DataFrame:
    """Return a row per pooled part and class, a column per code: nuclei of the class by the type they are voted."""
    tables = []
    for part in parts:
        table = pd.DataFrame(part.counts, columns=list(names))
        table.insert(0, "rna_class", list(names[1 : len(part.counts) + 1]))
        table.insert(0, "split", part.split)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def confidence_table(parts: Sequence[Part]) -> pd.DataFrame:
    """Return a row per pooled part and decile of the confidence of its labels."""
    rows = [
        (
            part.split,
            one.low,
            one.high,
            one.n,
            one.n_disagreeing,
            one.agreement,
            one.expected_agreement,
        )
        for part in parts
        for one in confidence_bins(part.confidence, part.agrees, part.codes)
    ]
    columns = ["low", "high", "n", "n_disagreeing", "agreement", "expected_agreement"]
    return pd.DataFrame(rows, columns=["split", *columns])


def slide_table(
    parts: Sequence[Part],
    tissues: Mapping[str, str],
    qc_jaccard: Mapping[str, float | None],
    other: int,
    behind: float,
    min_nuclei: int,
) -> pd.DataFrame:
    """Return a row per part, by split and slide.

    ``behind`` names the scores of ``JUDGED`` that lie further than ``behind`` below the median of the slides of the split,
    joined by ``;``. Slides with fewer than ``min_nuclei`` nuclei are not judged, nor is one alone.
    """
    rows = [
        {
            "split": part.split,
            "slide": part.slide,
            "tissue": tissues[part.slide],
            "n_patches": part.n_patches,
            "n_nuclei": part.n_nuclei,
            **part.scores(other),
            "qc_jaccard": qc_jaccard[part.slide],
        }
        for part in parts
    ]
    columns = ["split", "slide", "tissue", "n_patches", "n_nuclei", *SCORES, "qc_jaccard"]
    table = pd.DataFrame(rows, columns=columns)
    behind_of = [
        _behind(table[table["split"] == split], behind, min_nuclei)
        for split in dict.fromkeys(table["split"])
    ]
    return table.assign(behind=pd.concat(behind_of) if behind_of else "")


def _behind(table: pd.DataFrame, behind: float, min_nuclei: int) -> pd.Series:
    enough = table["n_nuclei"] >= min_nuclei
    words = pd.Series("", index=table.index)
    if enough.sum() < _FEWEST_SLIDES:
        return words
    for name in JUDGED:
        low = enough & (table[name] < table.loc[enough, name].median() - behind)
        words[low] = words[low] + ";" + name
    return words.str.removeprefix(";")
