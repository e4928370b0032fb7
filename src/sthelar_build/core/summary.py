"""A slide in a few numbers: what it is made of, how good it is, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sthelar_build.schema.labels import CLASSES
from sthelar_build.schema.tables import METRIC_NAMES
from sthelar_build.schema.words import LOW_COUNT, NEITHER

_DECISION_WORDS = ("target", "to_class", "to_label", "who", "when", "why")


@dataclass(frozen=True)
class Part:
    """One part of a whole."""

    name: str
    count: int
    share: float
    """Of the whole; 0 when the whole is empty."""
    colour: str = ""
    """As #rrggbb, for classes."""


@dataclass(frozen=True)
class Histogram:
    """Counts per bin; ``edges`` has one entry more than ``counts``."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    median: float | None
    """Median of the values; None if there are none."""


@dataclass(frozen=True)
class Agreement:
    """How well masks and segmentation agree at one scale."""

    n_patches: int
    n_measured: int
    n_kept: int
    """Measured patches with a Jaccard index of ``min_jaccard`` or more."""
    medians: dict[str, float | None]
    left_out: tuple[Part, ...]
    """Why the others have no Jaccard index, by reason."""

    @property
    def kept_share(self) -> float:
        """Kept over measured; 0 if none was measured."""
        return self.n_kept / self.n_measured if self.n_measured else 0.0


@dataclass(frozen=True)
class Coverage:
    """How many of the patches with nuclei show tissue that the Xenium run does not cover."""

    n_patches: int
    n_uncovered: int
    """Patches of whose tissue the run covers less than ``min_covered``."""
    n_kept: int
    """Those among them that reach a Jaccard index of ``min_jaccard`` nevertheless."""


@dataclass(frozen=True)
class Annotation:
    """How the labels of the cells were found."""

    n_cells: int
    ways: tuple[Part, ...]
    """All cells by ``decided_by``, most frequent first."""
    decided_share: float
    """Share of the cells with enough transcripts whose class rests on evidence."""
    mean_confidence: float | None
    """Over the cells with enough transcripts; None if there are none."""


@dataclass(frozen=True)
class HumanDecision:
    """One line of a table of human decisions, and what it changed."""

    line: int
    target: str
    to_class: str
    to_label: str
    who: str
    when: str
    why: str
    changes: tuple[Part, ...]
    """The labels that its cells had, as ``class, fine type``; most frequent first; none if it has no cells."""
    n_cells: int
    n_kept: int
    """Cells that no later line changed again."""


def decisions(overrides: pd.DataFrame) -> Iterator[HumanDecision]:
    """Yield the human decisions of a slide, one per line of its table, in order."""
    for _, rows in overrides.groupby("line", sort=True):
        first = rows.iloc[0]
        n_cells = int(rows["n_cells"].sum())
        changed = rows[rows["n_cells"] > 0]
        yield HumanDecision(
            line=int(first["line"]),
            **{name: str(first[name]) for name in _DECISION_WORDS},
            changes=tuple(
                Part(f"{row['from_class']}, {row['from_label']}", count, count / n_cells)
                for row in changed.to_dict("records")
                for count in [int(row["n_cells"])]
            ),
            n_cells=n_cells,
            n_kept=int(rows["n_kept"].sum()),
        )


def composition(final_labels: pd.Series) -> list[Part]:
    """Return the classes that occur, in schema order, with count, share and colour."""
    counts = final_labels.value_counts()
    return [
        Part(c.name, int(counts[c.name]), counts[c.name] / len(final_labels), c.hex_colour)
        for c in CLASSES
        if c.name in counts.index
    ]


def parts(words: pd.Series) -> tuple[Part, ...]:
    """Return the distinct words, most frequent first, ties by name; nulls are left out."""
    counts = words.dropna().value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(Part(str(name), int(n), n / len(words)) for name, n in ordered)


def annotation(labels: pd.DataFrame) -> Annotation:
    """Summarise ``decided_by`` and ``confidence`` of all cells."""
    enough = labels[labels["decided_by"] != LOW_COUNT]
    decided = enough["decided_by"] != NEITHER
    return Annotation(
        n_cells=len(labels),
        ways=parts(labels["decided_by"]),
        decided_share=float(decided.mean()) if len(enough) else 0.0,
        mean_confidence=float(enough["confidence"].mean()) if len(enough) else None,
    )


def agreement(metrics: pd.DataFrame, min_jaccard: float) -> Agreement:
    """Summarise the metrics of all patches of the grid; null metrics are not zeros."""
    measured = metrics[metrics["Jaccard"].notna()]
    missing = metrics[metrics["Jaccard"].isna()]
    return Agreement(
        n_patches=len(metrics),
        n_measured=len(measured),
        n_kept=int((measured["Jaccard"] >= min_jaccard).sum()),
        medians={name: _median(measured[name]) for name in METRIC_NAMES},
        left_out=tuple(
            Part(part.name, part.count, part.count / len(metrics))
            for part in parts(missing["reason"])
        ),
    )


def coverage(patches: pd.DataFrame, min_covered: float, min_jaccard: float) -> Coverage:
    """Summarise ``covered_fraction`` of the patches that have a ``Jaccard``; without tissue nothing is uncovered."""
    measured = patches[patches["Jaccard"].notna()]
    uncovered = measured[measured["covered_fraction"] < min_covered]
    kept = uncovered["Jaccard"] >= min_jaccard
    return Coverage(len(measured), len(uncovered), int(kept.sum()))


def histogram(values: ArrayLike, low: float, high: float, bins: int = 20) -> Histogram:
    """Count values in equal bins from ``low`` to ``high``; what lies beyond counts in the end bins."""
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    counts, edges = np.histogram(np.clip(numbers, low, high), bins=bins, range=(low, high))
    return Histogram(
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        median=float(np.median(numbers)) if len(numbers) else None,
    )


def extremes(values: NDArray[np.float64], n: int) -> dict[str, list[int]]:
    """Return positions of the ``n`` best, median and worst values, best first; no position twice.

    Values that are not finite are left out. With fewer than 3 n values each group gets fewer; ties
    are broken by position.
    """
    order = np.argsort(-values, kind="stable")
    order = order[np.isfinite(values[order])]
    size = min(n, -(-len(order) // 3))
    best, rest = order[:size], order[size:]
    worst = rest[max(len(rest) - size, 0) :]
    between = rest[: len(rest) - len(worst)]
    start = max((len(between) - size) // 2, 0)
    middle = between[start : start + size]
    return {"best": best.tolist(), "median": middle.tolist(), "worst": worst.tolist()}


def _median(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.median()) if len(known) else None
