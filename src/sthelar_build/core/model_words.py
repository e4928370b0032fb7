"""What a comparison of a network with masks and labels says, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sthelar_build.core.confidence_bins import confidence_bins, lowest_share
from sthelar_build.core.confusion import Confusion, class_scores, top_confusions
from sthelar_build.core.model_classes import BACKGROUND
from sthelar_build.core.model_parts import Part
from sthelar_build.core.model_tables import JUDGED
from sthelar_build.core.wording import count, number, percent

_MOST_PAIRS = 8
_LOW_CONFIDENCE = 0.3
"""The lowest three deciles."""
_LEAD = 0.02
"""Lead of train over test that is told of."""
_MORE = 1.1
"""So many times the expected disagreement is more than chance and classes make."""
_MOST_NAMED, _TOO_OFTEN = 0.6, 1.5
"""A class is named too often where it is named for such a share of all nuclei, and so many times as often as it is there."""
_NAMES = {"bPQ": "bPQ", "detection_F1": "detection F1", "balanced_accuracy": "balanced accuracy"}


def overview(part: Part, n_slides: int, other: int) -> str:
    """Say how well the network finds, draws and names the nuclei of a pooled part."""
    scores = part.scores(other)
    return (
        f"In {_of_split(part.split)} ({count(part.n_patches)} patches of {count(n_slides)} slide{_s(n_slides)}, "
        f"{count(part.n_nuclei)} nuclei) the network finds nuclei with a detection F1 of {number(scores['detection_F1'])}, "
        f"and draws them with a Dice of {number(scores['Dice'])} and a bPQ of {number(scores['bPQ'])}. It names the class of "
        f"the RNA for {percent(scores['accuracy'])} of the drawn nuclei; each class counted alike, for "
        f"{percent(scores['balanced_accuracy'])}; where the RNA names a class at all, for "
        f"{percent(scores['accuracy_without_other'])}."
    )


def class_words(part: Part, classes: Sequence[str], min_nuclei: int) -> list[str]:
    """Say which classes agree best and worst, and which are too rare to be judged."""
    scores = class_scores(part.counts)
    enough = [row for row, n in enumerate(scores.n) if n >= min_nuclei]
    right = sorted((row for row in enough if scores.f1[row] > 0), key=lambda row: -scores.f1[row])
    told = [f"{classes[row]} (F1 {number(scores.f1[row])})" for row in right]
    n_best = min(3, (len(told) + 1) // 2)
    never = [classes[row] for row in enough if scores.f1[row] == 0]
    words = []
    if told:
        words.append(f"Agrees best: {', '.join(told[:n_best])}.")
    if len(told) > n_best:
        words.append(f"Agrees least: {', '.join(told[: -min(3, len(told) - n_best) - 1 : -1])}.")
    if never:
        words.append(f"Never named rightly: {', '.join(never)}.")
    words += _overused(part, classes)
    rare = [f"{classes[row]} ({n})" for row, n in enumerate(scores.n) if 0 < n < min_nuclei]
    absent = [classes[row] for row, n in enumerate(scores.n) if n == 0]
    if rare:
        words.append(f"Too few nuclei to be judged: {', '.join(rare)}.")
    if absent:
        words.append(f"No nucleus of: {', '.join(absent)}.")
    return words


def confusion_words(
    part: Part, names: Sequence[str], least_share: float, min_nuclei: int
) -> list[str]:
    """Say which classes are taken for which, most often first."""
    found = top_confusions(part.counts, names, least_share, min_nuclei)
    totals = dict(zip(names[1:], part.counts.sum(axis=1), strict=False))
    words = [_confused(one, int(totals[one.true])) for one in found[:_MOST_PAIRS]]
    rest = len(found) - len(words)
    return [*words, f"And {rest} pair{_s(rest)} more."] if rest else words


def slide_words(table: pd.DataFrame) -> list[str]:
    """Say which slides fall behind, and in what; ``table`` has the rows of one split of ``slide_table``."""
    words = []
    medians = table[list(JUDGED)].median()
    rows: list[Any] = table[table["behind"] != ""].to_dict("records")
    for row in rows:
        told = [
            f"{_NAMES[name]} {number(row[name])} (median of the slides {number(medians[name])})"
            for name in row["behind"].split(";")
        ]
        words.append(f"{row['slide']} ({row['tissue']}): {', '.join(told)}{_hint(row)}.")
    return words


def confidence_words(part: Part) -> str | None:
    """Say how much of the disagreement is where the labels are least sure; None where nothing can be said."""
    bins = confidence_bins(part.confidence, part.agrees, part.codes)
    low = lowest_share(bins, _LOW_CONFIDENCE)
    if low is None:
        return None
    told = (
        f"The {percent(low.nuclei)} of the nuclei with the least confident labels hold {percent(low.disagreement)} of the "
        f"disagreement; by their classes alone they would hold {percent(low.expected)}"
    )
    if low.disagreement > _MORE * low.expected:
        verdict = "part of it may be the labels' fault"
    else:
        verdict = "doubt in the labels does not explain it"
    return (
        f"{told}: {verdict}. Agreement is {percent(bins[0].agreement)} among the least, {percent(bins[-1].agreement)} among "
        "the most confident."
    )


def network_words(record: Mapping[str, Any]) -> list[str]:
    """Say which names only one side knows."""
    words = []
    if record["strangers"]:
        words.append(
            f"Types of the network that are no class of {record['grouping']}: {', '.join(record['strangers'])}. They are kept "
            "apart in the confusion, and never agree."
        )
    if record["unknown"]:
        words.append(
            f"Classes that the network does not know, and so never names: {', '.join(record['unknown'])}."
        )
    return words


def split_words(parts: Sequence[Part], other: int) -> str | None:
    """Compare the splits; None where there is but one."""
    if len(parts) < 2:
        return None
    scores = {part.split: part.scores(other) for part in parts}
    told = [
        f"{split} {percent(of['balanced_accuracy'])} (bPQ {number(of['bPQ'])})"
        for split, of in scores.items()
    ]
    words = f"Balanced accuracy by split: {', '.join(told)}."
    if {"train", "test"} <= set(scores):
        better = (scores["train"][name] - scores["test"][name] for name in JUDGED)
        if any(lead > _LEAD for lead in better):
            words += " What is better in train than in test may be known by heart."
    return words


def _overused(part: Part, classes: Sequence[str]) -> list[str]:
    """Say which class the network names for most nuclei, where far fewer are of it."""
    n = max(part.n_nuclei, 1)
    named, true = part.counts.sum(axis=0)[1:] / n, part.counts.sum(axis=1) / n
    return [
        f"The network calls {percent(named[row])} of all nuclei {name}, which {percent(true[row])} are: it hardly tells "
        "classes apart."
        for row, name in enumerate(classes)
        if named[row] > _MOST_NAMED and named[row] > _TOO_OFTEN * true[row]
    ]


def _of_split(split: str) -> str:
    return "patches of no split" if split == "none" else f"the split {split}"


def _confused(one: Confusion, n: int) -> str:
    if one.predicted == BACKGROUND:
        what = "are given no type by any pixel"
    else:
        what = f"are taken for {one.predicted}"
    return f"{percent(one.share)} of {one.true} ({count(one.n)} of {count(n)} nuclei) {what}."


def _hint(row: Mapping[str, Any]) -> str:
    jaccard = row["qc_jaccard"]
    if jaccard is None or np.isnan(jaccard):
        return ""
    return f"; its masks agree with nuclei segmented without them by a Jaccard of {number(jaccard)}"


def _s(n: int) -> str:
    return "" if n == 1 else "s"
