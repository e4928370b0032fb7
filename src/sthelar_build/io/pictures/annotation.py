"""Pictures of an annotation: UMAP by class and cluster, the map of classes, and a dot plot of markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from sthelar_build.core.class_expression import ClassExpression, leading_markers
from sthelar_build.core.clusters import ClusteredCells
from sthelar_build.core.palette import hues
from sthelar_build.schema.labels import CLASSES

_DPI = 130
_INK = "#333333"
_GENES_PER_CLASS = 5
_LARGEST_DOT = 130.0
_COLOURS = {c.name: (c.colour[0] / 255, c.colour[1] / 255, c.colour[2] / 255) for c in CLASSES}


def draw_pictures(
    folder: Path,
    labels: pd.DataFrame,
    cells: pd.DataFrame,
    clustered: AnnData,
    clustering: str,
    counted: ClusteredCells,
) -> None:
    """Draw all pictures of a slide into a folder.

    Parameters
    ----------
    folder
        An empty folder.
    labels, cells
        Columns of LABELS, and ``x_um``, ``y_um``, of the same cells in the same order.
    clustered
        The clustered cells: ``cell_id`` and clusters in ``obs``, ``X_umap`` in ``obsm``.
    clustering
        Column of the clusters.
    counted
        The raw counts of the clustered cells, in the same order.
    """
    classes = labels.set_index("cell_id")["final_label"]
    shown = classes.loc[clustered.obs["cell_id"].astype(str)].to_numpy()
    umap = np.asarray(clustered.obsm["X_umap"])
    clusters = clustered.obs[clustering].astype(str).to_numpy()
    _save(folder / "umap_classes.png", _umap_by_class(umap, shown))
    _save(folder / "umap_clusters.png", _umap_by_cluster(umap, clusters))
    _save(folder / "class_map.png", _class_map(cells, labels["final_label"].to_numpy()))
    _save(folder / "dotplot.png", _dot_plot(counted, shown))


def _save(path: Path, figure: Figure) -> None:
    FigureCanvasAgg(figure)
    # Without a software tag, equal pictures are equal files.
    figure.savefig(path, dpi=_DPI, bbox_inches="tight", metadata={"Software": None})


def _umap_by_class(umap: NDArray[np.floating], classes: NDArray[np.object_]) -> Figure:
    figure, axes = _canvas("Cells by class")
    colours = np.array([_COLOURS[name] for name in classes]).reshape(-1, 3)
    _scatter(axes, umap, colours)
    _bare(axes, "UMAP 1", "UMAP 2")
    _class_legend(axes, classes)
    return figure


def _umap_by_cluster(umap: NDArray[np.floating], clusters: NDArray[np.object_]) -> Figure:
    figure, axes = _canvas("Cells by cluster")
    names = sorted(set(clusters), key=lambda name: (len(name), name))
    palette = np.array([to_rgb(colour) for colour in hues(len(names))]).reshape(-1, 3)
    number = pd.Index(names).get_indexer(pd.Index(clusters))
    _scatter(axes, umap, palette[number])
    order = np.argsort(number, kind="stable")
    ends = np.searchsorted(number[order], np.arange(len(names) + 1))
    for position, name in enumerate(names):
        rows = order[ends[position] : ends[position + 1]]
        x, y = np.median(umap[rows], axis=0)
        halo = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
        axes.text(x, y, name, ha="center", va="center", fontsize=7, color=_INK, bbox=halo)
    _bare(axes, "UMAP 1", "UMAP 2")
    return figure


def _class_map(cells: pd.DataFrame, classes: NDArray[np.object_]) -> Figure:
    figure, axes = _canvas("Classes on the slide")
    colours = np.array([_COLOURS[name] for name in classes]).reshape(-1, 3)
    _scatter(axes, cells[["x_um", "y_um"]].to_numpy(), colours)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.set_xlabel("x (µm)")
    axes.set_ylabel("y (µm)")
    _class_legend(axes, classes)
    return figure


def _dot_plot(counted: ClusteredCells, classes: NDArray[np.object_]) -> Figure:
    """Draw the markers that rise most in each class that is there, against all classes that are there."""
    present = [c.name for c in CLASSES if (classes == c.name).any()]
    found = ClassExpression(len(present), len(counted.genes))
    found.add(counted.counts, pd.Index(present).get_indexer(pd.Index(classes)))
    means, shares = found.means, found.shares
    genes = [gene for _, gene in leading_markers(counted.genes, means, present, _GENES_PER_CLASS)]
    columns = [counted.genes.index(gene) for gene in genes]
    highest = np.maximum(means[:, columns].max(axis=0, initial=0), 1e-9)
    figure = Figure(figsize=(2.2 + 0.27 * len(genes), 1.7 + 0.34 * len(present)))
    axes = figure.subplots()
    x, y = np.meshgrid(np.arange(len(genes)), np.arange(len(present)))
    dots = axes.scatter(
        x,
        y,
        s=shares[:, columns] * _LARGEST_DOT,
        c=means[:, columns] / highest,
        cmap="Reds",
        vmin=0,
        vmax=1,
        edgecolors=_INK,
        linewidths=0.3,
    )
    figure.colorbar(dots, ax=axes, fraction=0.03, pad=0.02, label="mean / highest mean")
    _label_dots(axes, genes, present)
    _size_legend(axes)
    return figure


def _label_dots(axes: Axes, genes: Sequence[str], classes: Sequence[str]) -> None:
    axes.set_xticks(range(len(genes)), genes, rotation=90, fontsize=8, style="italic")
    axes.set_yticks(range(len(classes)), classes, fontsize=9)
    axes.set_xlim(-0.7, len(genes) - 0.3)
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.set_title("Markers of each class", fontsize=11, loc="left", color=_INK)
    _plain(axes)


def _size_legend(axes: Axes) -> None:
    sizes = [
        Line2D(
            [], [], marker="o", ls="", color=_INK, ms=np.sqrt(s * _LARGEST_DOT), label=f"{s:.0%}"
        )
        for s in (0.2, 0.6, 1.0)
    ]
    axes.legend(
        handles=sizes,
        title="cells with a count",
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=3,
        frameon=False,
        fontsize=8,
        title_fontsize=8,
    )


def _canvas(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 6.4))
    axes = figure.subplots()
    axes.set_title(title, fontsize=12, loc="left", color=_INK)
    _plain(axes)
    return figure, axes


def _scatter(axes: Axes, points: NDArray[np.floating], colours: NDArray[np.float64]) -> None:
    """Draw points in a fixed random order, so that no class lies on top; smaller where there are many."""
    order = np.random.default_rng(0).permutation(len(points))
    size = float(np.clip(30_000 / max(len(points), 1), 0.3, 14))
    x, y = points[order].T
    axes.scatter(x, y, s=size, c=colours[order], linewidths=0, rasterized=True)


def _class_legend(axes: Axes, classes: NDArray[np.object_]) -> None:
    handles = [
        Line2D(
            [],
            [],
            marker="o",
            ls="",
            ms=7,
            color=_COLOURS[c.name],
            label=f"{c.name} ({(classes == c.name).sum():,})",
        )
        for c in CLASSES
        if (classes == c.name).any()
    ]
    axes.legend(
        handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9
    )


def _bare(axes: Axes, x: str, y: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(x, color=_INK)
    axes.set_ylabel(y, color=_INK)


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
