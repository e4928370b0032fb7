"""Pictures of a comparison: the confusion, the classes, the metrics of every slide, agreement by confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from sthelar_build.core.model_parts import PATCH_METRICS, Part
from sthelar_build.core.wording import count
from sthelar_build.io.pictures.registration import figure_of, save

_INK, _QUIET = "#33363b", "#8a8d93"
_BAR, _EDGE = "#3b6ea8", "#1b1b1f"
_DARK = 0.55
"""Share from which the figures in the heat map are white."""
_BINS = [number / 20 for number in range(21)]
_MOST_SLIDES = 24

Colours = Mapping[str, tuple[int, int, int]]


def draw_evaluation(
    folder: Path,
    part: Part,
    slides: Sequence[Part],
    classes: pd.DataFrame,
    confidence: pd.DataFrame,
    names: Sequence[str],
    colours: Colours,
) -> None:
    """Draw all pictures of one split into a folder.

    Parameters
    ----------
    part, slides
        The pooled part, and those of the slides.
    classes, confidence
        Rows of its tables, see ``core.model_tables``.
    names
        Of the codes.
    colours
        Class -> red, green, blue. Colour never tells alone: every class is named beside it.
    """
    draw_confusion(folder / "confusion.png", part.counts, names)
    draw_classes(folder / "classes.png", classes, colours)
    draw_metrics(folder / "metrics.png", slides)
    draw_confidence(folder / "confidence.png", confidence)


def draw_confusion(path: Path, counts: NDArray[np.int64], names: Sequence[str]) -> None:
    """Draw the confusion, every row as shares of its class; rows and columns without nuclei are left out."""
    rows = np.flatnonzero(counts.sum(axis=1))
    columns = np.array([c for c in range(len(names)) if counts[:, c].any() or c - 1 in rows])
    # The background comes last: the diagonal of the classes is then one.
    columns = np.array([*columns[columns > 0], *columns[columns == 0]], dtype=np.int64)
    shown = counts[np.ix_(rows, columns)] if len(rows) else np.zeros((1, 1), dtype=np.int64)
    shares = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    figure = figure_of(3.6 + 0.82 * len(columns), 1.9 + 0.42 * len(rows))
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if shown[row, column]:
            text = f"{100 * share:.0f}" if share >= 0.005 else "<1"
            colour = "white" if share > _DARK else _INK
            axes.text(column, row, text, ha="center", va="center", fontsize=10, color=colour)
    labels = ["no type" if c == 0 else names[c] for c in columns.tolist()]
    axes.set_xticks(range(len(columns)), labels, rotation=35, ha="right", rotation_mode="anchor")
    n = counts.sum(axis=1).tolist()
    axes.set_yticks(
        range(len(rows)), [f"{names[r + 1]}  (n = {count(n[r])})" for r in rows.tolist()]
    )
    axes.set_xlabel("class that the network gives", color=_INK)
    axes.set_ylabel("class of the RNA", color=_INK)
    _bare(axes)
    bar = figure.colorbar(image, ax=axes, format=PercentFormatter(1), shrink=0.9)
    bar.outline.set_visible(False)
    bar.set_label("share of the nuclei of the class", color=_INK)
    save(figure, path)


def draw_classes(path: Path, classes: pd.DataFrame, colours: Colours) -> None:
    """Draw F1, and as a mark PQ, of every class that has nuclei, best first."""
    there = classes[classes["n"] > 0].sort_values(["F1", "class"], ascending=[True, False])
    figure = figure_of(8.2, 1.5 + 0.42 * len(there))
    axes = figure.subplots()
    y = list(range(len(there)))
    fill = [tuple(np.array(colours[name]) / 255) for name in there["class"]]
    axes.barh(y, there["F1"], color=fill, edgecolor=_EDGE, linewidth=0.8, height=0.66)
    axes.scatter(
        there["PQ"], y, marker="D", s=34, color="white", edgecolor=_EDGE, zorder=3, label="PQ"
    )
    for place, f1, pq in zip(y, there["F1"], there["PQ"].fillna(0), strict=True):
        # Beside the bar, and beside the diamond where that would cover it.
        right = max(f1, pq if pq - f1 < 0.1 else 0)
        axes.text(right + 0.015, place, f"{f1:.2f}", va="center", fontsize=9, color=_INK)
    labels = [
        f"{name}  (n = {count(int(n))})" for name, n in zip(there["class"], there["n"], strict=True)
    ]
    axes.set_yticks(y, labels)
    axes.set_xlim(-0.01, 1.1)
    axes.set_xlabel(
        "F1 of the class given to drawn nuclei (bar), panoptic quality (diamond)", color=_INK
    )
    _plain(axes)
    save(figure, path)


def draw_metrics(path: Path, slides: Sequence[Part]) -> None:
    """Draw how Dice, Jaccard, bPQ and mPQ spread over the patches of every slide, at most so many slides as can be read."""
    shown = sorted(slides, key=lambda part: part.slide)[:_MOST_SLIDES]
    figure = figure_of(12.5, 0.8 + 0.85 * len(shown))
    grid: Any = figure.subplots(len(shown), len(PATCH_METRICS), sharex=True, squeeze=False)
    for row, part in zip(grid, shown, strict=True):
        for axes, name in zip(row, PATCH_METRICS, strict=True):
            _histogram(axes, part.metrics[name])
        row[0].set_ylabel(part.slide, rotation=0, ha="right", va="center", color=_INK)
    for axes, name in zip(grid[0], PATCH_METRICS, strict=True):
        axes.set_title(name, fontsize=11, color=_INK)
    save(figure, path)


def draw_confidence(path: Path, confidence: pd.DataFrame) -> None:
    """Draw the agreement of every decile of the confidence of the labels."""
    figure = figure_of(9.5, 3.2)
    axes = figure.subplots()
    x = list(range(len(confidence)))
    axes.bar(x, confidence["agreement"], color=_BAR, width=0.72)
    expected = confidence["expected_agreement"]
    axes.hlines(expected, [i - 0.44 for i in x], [i + 0.44 for i in x], _EDGE, linewidth=1.8)
    rows: Any = list(confidence.itertuples())
    for place, row in zip(x, rows, strict=True):
        text = f"{100 * row.agreement:.0f} %\nn = {count(int(row.n))}"
        top = max(row.agreement, row.expected_agreement)
        axes.text(place, top + 0.03, text, ha="center", fontsize=8, color=_INK)
    edges = [f"{row.low:.4f}\nto {row.high:.4f}" for row in rows]
    axes.set_xticks(x, edges, fontsize=8)
    axes.set_ylim(0, 1.2)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("confidence of the label, from the least to the most sure nuclei", color=_INK)
    axes.set_ylabel("network agrees", color=_INK)
    _plain(axes)
    save(figure, path)


def _histogram(axes: Axes, values: NDArray[np.float64]) -> None:
    there = values[~np.isnan(values)]
    axes.hist(there, bins=_BINS, color=_BAR)
    if len(there):
        median = float(np.median(there))
        axes.axvline(median, color=_EDGE, linewidth=1.2)
        place, side = (0.99, "right") if median < 0.5 else (0.01, "left")
        axes.text(
            place,
            0.8,
            f"{median:.2f}",
            transform=axes.transAxes,
            ha=side,
            fontsize=9,
            color=_INK,
        )
    axes.set_xlim(0, 1)
    axes.set_yticks([])
    _plain(axes)
    axes.spines["left"].set_visible(False)


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=_INK)


def _bare(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=_INK)
