"""What the markers of every class come to on every slide, on a scale that panels and depths share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.markers import marker_types

Floats = NDArray[np.float64]
MEAN_COLUMNS = ["slide", "class", "gene", "marker_of", "log2_mean"]
_PER = 1e4


@dataclass(frozen=True, eq=False)
class SlideClasses:
    """What the classes of one slide hold."""

    slide: str
    tissue: str
    genes: Sequence[str]
    n_cells: NDArray[np.int64]
    """(classes,) cells of every class, in the order of CLASS_NAMES."""
    counts: Floats
    """(classes, genes) their summed raw counts."""


def marker_means(slides: Sequence[SlideClasses]) -> pd.DataFrame:
    """Return the markers' means of every class on every slide, over the genes that all panels have.

    Columns MEAN_COLUMNS. ``log2_mean`` is log2(1 + counts per 10,000) of the summed counts of the class, where only
    the shared genes count: panels of different sizes and slides of different depth compare. ``marker_of`` names the
    classes that the gene marks, joined by ``;``. A class without a count on a slide has no rows of it.
    """
    shared = shared_genes(slides)
    marked = _marked_classes(shared)
    tables = [
        pd.DataFrame(
            {
                "slide": one.slide,
                "class": CLASS_NAMES[number],
                "gene": list(marked),
                "marker_of": list(marked.values()),
                "log2_mean": level[np.isin(shared, list(marked))],
            }
        )
        for one in slides
        for number, level in enumerate(_levels(one, shared))
        if not np.isnan(level).any()
    ]
    if not tables:
        return pd.DataFrame(columns=MEAN_COLUMNS).astype({"log2_mean": np.float64})
    return pd.concat(tables, ignore_index=True)


def shared_genes(slides: Sequence[SlideClasses]) -> list[str]:
    """Return the genes that all panels have, sorted."""
    panels = [set(one.genes) for one in slides]
    return sorted(set.intersection(*panels)) if panels else []


def _marked_classes(genes: Sequence[str]) -> dict[str, str]:
    """Return, for the genes that mark something, the classes that they mark."""
    classes: dict[str, set[str]] = {}
    for kind in marker_types():
        for gene in kind.genes:
            classes.setdefault(gene, set()).add(kind.class_name)
    return {
        gene: ";".join(name for name in CLASS_NAMES if name in classes[gene])
        for gene in genes
        if gene in classes
    }


def _levels(one: SlideClasses, genes: Sequence[str]) -> Floats:
    """Return log2(1 + counts per 10,000), shape (classes, genes); NaN for a class without counts."""
    columns: NDArray[np.intp] = pd.Index(one.genes).get_indexer(pd.Index(genes))
    counts = one.counts[:, columns]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(_PER * counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    return np.asarray(np.log2(1 + shares))
