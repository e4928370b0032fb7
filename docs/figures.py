"""Draw the figures of docs/explanation from a finished toy run: ``python docs/figures.py results``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import geopandas
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sthelar_build.core.leaks import audit
from sthelar_build.core.split_plan import RANDOM, SLIDE, SPACE, SplitRule, names_of, plan_splits
from sthelar_build.io.tables import read_attributes

IMAGES = Path(__file__).parent / "images"
SLIDES = ("toy_breast", "toy_skin", "toy_auto")
SCALE, SIDE_PX = "40x", 256
COLOURS = ("#3f7fbf", "#d9822b", "#4c9f70")
GREY = "#808080"
FEW_CELLS = 20


def main(results: Path) -> None:
    """Write every figure."""
    style = {f"{part}color": GREY for part in ("text.", "axes.label", "xtick.", "ytick.")}
    more = {"axes.edgecolor": GREY, "svg.hashsalt": "sthelar_build", "svg.fonttype": "none"}
    with mpl.rc_context(style | more | {"font.size": 10, "font.family": "sans-serif"}):
        for name, draw in FIGURES.items():
            _save(draw(results), IMAGES / name)


def registration(results: Path) -> Figure:
    """How the correlation of nuclei and haematoxylin falls when the nuclei are shifted."""
    figure, (axes,) = _figure(1)
    for slide, colour in zip(SLIDES, COLOURS, strict=True):
        decay = json.loads((results / slide / "transform.json").read_text())["quality"]["decay"]
        axes.plot(decay["shift_um"], decay["correlation"], "o-", color=colour, label=slide)
    axes.set(xlabel="nuclei shifted by, in um", ylabel="correlation with the haematoxylin")
    axes.legend(frameon=False)
    return figure


def annotation(results: Path) -> Figure:
    """How many cells are right, by Tangram alone and in the end; and whether the confidence is."""
    figure, (bars, line) = _figure(2)
    cells = [_judged(results, slide) for slide in SLIDES]
    place = np.arange(len(SLIDES))
    for number, (column, words) in enumerate((("tangram", "Tangram alone"), ("right", "refined"))):
        shares = [table[column].mean() for table in cells]
        drawn = bars.bar(place + 0.36 * number, shares, 0.34, color=COLOURS[number], label=words)
        bars.bar_label(drawn, fmt="%.3f", color=GREY, fontsize=8)
    bars.set(ylim=(0, 1.25), ylabel="cells with the right class")
    bars.set_xticks(place + 0.18, SLIDES)
    bars.legend(frameon=False, loc="upper center", ncols=2)
    everyone = pd.concat(cells)
    bins = pd.cut(everyone["confidence"], np.linspace(0, 1, 11))
    found = everyone.groupby(bins, observed=True).agg(
        confidence=("confidence", "mean"), right=("right", "mean"), n=("right", "size")
    )
    found = found[found["n"] >= FEW_CELLS]
    line.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    line.plot(found["confidence"], found["right"], "o-", color=COLOURS[1])
    line.set(xlabel="confidence, in bins of 0.1", ylabel="share that is right", ylim=(0, 1.05))
    return figure


def masks(results: Path) -> Figure:
    """How the agreement of masks and nuclei falls when the masks are displaced."""
    figure, (axes,) = _figure(1)
    table = pd.read_parquet(results / SLIDES[0] / f"metrics_{SCALE}_displacement.parquet")
    table = table[table["compared_with"] == "predictions"]
    for metric, colour in zip(("Dice", "Jaccard", "bPQ"), COLOURS, strict=True):
        axes.plot(table["displacement_um"], table[metric], "o-", color=colour, label=metric)
    axes.set(xlabel="masks displaced by, in um", ylabel=f"mean over patches, {SLIDES[0]}")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)
    return figure


def splits(results: Path) -> Figure:
    """Count what the splits share, by how they are made."""
    figure, axes = _figure(2)
    table, features, nuclei = _patches(results)
    strategies = {RANDOM: "random", SPACE: "bands", SLIDE: "slides"}
    found = {}
    for strategy, words in strategies.items():
        rule = SplitRule(strategy, (0.6, 0.2, 0.2), 64, 42)
        split = names_of(plan_splits(table, rule, features, SIDE_PX, nuclei))
        leaks = audit(table.assign(split=split), SIDE_PX, nuclei)
        found[words] = leaks.patches_sharing_pixels / pd.notna(split).sum(), leaks.shared_nuclei
    for number, (ax, words) in enumerate(
        zip(
            axes,
            (
                "share of the patches with pixels\nthat another split shows",
                "nuclei drawn in two splits",
            ),
            strict=True,
        )
    ):
        drawn = ax.bar(list(found), [pair[number] for pair in found.values()], color=COLOURS)
        ax.bar_label(drawn, fmt="%.2f" if number == 0 else "%d", color=GREY)
        ax.set_ylabel(words)
    return figure


def _judged(results: Path, slide: str) -> pd.DataFrame:
    """Return the cells with enough transcripts: whether Tangram alone and the label are right, and the confidence."""
    labels = pd.read_parquet(results / slide / "labels.parquet").set_index("cell_id")
    labels = labels[labels["decided_by"] != "low_count"]
    folder = results.parent / "resources" / "toy" / slide / "truth"
    true = geopandas.read_parquet(folder / "cells.parquet").set_index("cell_id")["class_name"]
    path = results / slide / "tangram_cells.parquet"
    class_of = read_attributes(path)["labels"]
    shares = pd.read_parquet(path).set_index("cell_id")[list(class_of)]
    named = shares.T.groupby(class_of).sum().T.reindex(labels.index).idxmax(axis=1)
    true = true.reindex(labels.index)
    return labels.assign(right=labels["final_label"] == true, tangram=named == true)


def _patches(results: Path) -> tuple[pd.DataFrame, list[str], dict[str, pd.DataFrame]]:
    """Return the patches that can be in a split, the names of their counts, and the nuclei that they show."""
    made = pd.read_parquet(results / "dataset" / SCALE / "splits.parquet")
    sheet = pd.read_csv(results.parent / "config" / "slides.tsv", sep="\t").set_index("slide")
    parts, nuclei = [], {}
    for slide in SLIDES:
        grid = pd.read_parquet(results / slide / f"patches_{SCALE}.parquet").set_index("patch_id")
        shown = pd.read_parquet(results / slide / f"masks_{SCALE}" / "instances.parquet")
        counts = pd.crosstab(shown["patch_id"], shown["class_index"]).add_prefix("class_")
        usable = made[
            (made["slide"] == slide) & (made["split"].notna() | (made["reason"] == "guard"))
        ]
        part = usable[["slide", "patch_id"]].join(grid[["x_px", "y_px"]], "patch_id")
        parts.append(
            part.join(counts, "patch_id").assign(**sheet.loc[slide, ["patient", "tissue"]])
        )
        nuclei[slide] = shown
    table = pd.concat(parts, ignore_index=True)
    features = [name for name in table if re.match(r"class_\d", str(name))]
    return table.fillna(dict.fromkeys(features, 0)), features, nuclei


def _figure(n: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(4.6 * n, 3), layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(1, n)))
    for ax in axes:
        ax.patch.set_alpha(0)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    """Write a figure that is readable on light and on dark pages, and is the same every time."""
    figure.patch.set_alpha(0)
    figure.savefig(path, metadata={"Date": None})
    sys.stdout.write(f"{path.relative_to(IMAGES.parents[1])}\n")


FIGURES = {
    "explained_registration.svg": registration,
    "explained_annotation.svg": annotation,
    "explained_masks.svg": masks,
    "explained_splits.svg": splits,
}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
