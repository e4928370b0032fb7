"""Does a class mean the same on every slide? Its share and its markers, against the slides beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.marker_means import SlideClasses
from sthelar_build.schema.labels import CLASS_NAMES, OTHER
from sthelar_build.schema.vocabulary import LESS_THAN_TEN
from sthelar_build.schema.words import NO_MARKERS, TOO_FEW_CELLS, TOO_FEW_SLIDES

Floats = NDArray[np.float64]
SAME_TISSUE = "tissue"
ALL_SLIDES = "all"
CONSISTENCY_COLUMNS = [
    *("slide", "tissue", "class", "n_cells", "share"),
    *("compared_with", "n_slides", "median_share", "share_deviation"),
    *("marker_distance", "marker_deviation", "deviant_genes", "flag", "reason"),
]
_MAD_TO_SD = 1.4826
# Below these a spread is noise: shares that differ by a factor of 1.4, genes that differ by 11 %.
_LEAST_SHARE_SPREAD = 0.5
_LEAST_MARKER_SPREAD = 0.15
_SHOWN_GENES = 5


@dataclass(frozen=True)
class ConsistencyRule:
    """When a class is judged, and when it is flagged; see ``CollectSettings``."""

    max_deviation: float
    min_class_cells: int
    min_siblings: int


def class_consistency(
    slides: Sequence[SlideClasses], means: pd.DataFrame, rule: ConsistencyRule
) -> pd.DataFrame:
    """Compare every class of every slide with its siblings, and flag what looks unlike them.

    Parameters
    ----------
    slides
        All slides, each once.
    means
        Their markers' means (``core.marker_means``).
    rule
        When a comparison is made, and what it takes to be flagged.

    Returns
    -------
    One row per slide and class that any slide has, columns CONSISTENCY_COLUMNS. Siblings are the slides of the same
    tissue where there are ``min_siblings`` or more of it, else all slides (``compared_with``; ``n_slides`` says how
    many, the slide itself included).

    ``share_deviation`` is the distance of the log2 odds of the share from the siblings' median; it is null where none
    of them has ``min_class_cells``. ``marker_distance`` is the root mean square, over the shared markers of all classes,
    of the difference from the siblings' median of the gene, in log2 steps; ``marker_deviation`` the distance of that
    from its own median. Deviations are in robust standard deviations (1.4826 MAD; Iglewicz & Hoaglin 1993), with a
    floor under the MAD, so that among slides that agree closely a trifle does not stand out. ``flag`` names what lies
    further out than ``max_deviation``: ``composition``, ``markers`` (a profile nearer to the median than usual is no
    fault), or both; ``deviant_genes`` are those that differ most. ``reason`` says why the markers were not compared:
    ``too_few_slides`` (with enough cells of the class), ``too_few_cells`` (on this slide) or ``no_markers``; where there
    are too few slides, the shares were not compared either.
    """
    parts = [
        _compared(name, kin, means, rule).assign(compared_with=word)[
            lambda t, m=mine: t["slide"].isin(m)
        ]
        for word, kin, mine in _families(slides, rule.min_siblings)
        for name in _occurring(slides)
    ]
    if not parts:
        return pd.DataFrame(columns=CONSISTENCY_COLUMNS)
    table = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    order = table["slide"].map({one.slide: position for position, one in enumerate(slides)})
    ordered = table.assign(order=order).sort_values("order", kind="stable", ignore_index=True)
    return pd.DataFrame(ordered.reindex(columns=CONSISTENCY_COLUMNS).infer_objects())


def robust_deviations(values: Floats, least_spread: float) -> Floats:
    """Return the distances from the median in robust standard deviations, of ``least_spread`` at least."""
    away = values - np.median(values)
    return np.asarray(away / max(_MAD_TO_SD * float(np.median(np.abs(away))), least_spread))


def conflicting_labels(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, list[str]]]:
    """Return the fine labels that stand for two classes, with the slides of each: label maps are at odds.

    ``tables`` hold ``label2`` and ``final_label`` of the cells of every slide.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for slide, table in tables.items():
        pairs = table[["label2", "final_label"]].dropna().drop_duplicates()
        for label, class_name in sorted(pairs.itertuples(index=False, name=None)):
            found.setdefault(label, {}).setdefault(class_name, []).append(slide)
    found.pop(LESS_THAN_TEN, None)
    return {label: classes for label, classes in sorted(found.items()) if len(classes) > 1}


def _occurring(slides: Sequence[SlideClasses]) -> list[str]:
    return [name for n, name in enumerate(CLASS_NAMES) if any(one.n_cells[n] for one in slides)]


def _families(
    slides: Sequence[SlideClasses], least: int
) -> Iterator[tuple[str, list[SlideClasses], list[str]]]:
    """Yield who is compared with whom: the word for it, all siblings, and the slides that it is for."""
    tissues = {one.tissue: [kin for kin in slides if kin.tissue == one.tissue] for one in slides}
    lonely = [one.slide for one in slides if len(tissues[one.tissue]) < least]
    for kin in tissues.values():
        if len(kin) >= least:
            yield SAME_TISSUE, kin, [one.slide for one in kin]
    if lonely:
        yield ALL_SLIDES, list(slides), lonely


def _compared(
    name: str, kin: Sequence[SlideClasses], means: pd.DataFrame, rule: ConsistencyRule
) -> pd.DataFrame:
    """Compare one class among siblings: a row for each."""
    number = CLASS_NAMES.index(name)
    n_cells = np.array([one.n_cells[number] for one in kin])
    totals = np.array([one.n_cells.sum() for one in kin])
    share = n_cells / np.maximum(totals, 1)
    table = pd.DataFrame(
        {
            "slide": [one.slide for one in kin],
            "tissue": [one.tissue for one in kin],
            "class": name,
            "n_cells": n_cells,
            "share": share,
            "n_slides": len(kin),
            "median_share": np.median(share),
            "share_deviation": np.nan,
        }
    )
    if len(kin) >= rule.min_siblings and n_cells.max() >= rule.min_class_cells:
        odds = np.log2((n_cells + 0.5) / (totals - n_cells + 0.5))
        table["share_deviation"] = robust_deviations(odds, _LEAST_SHARE_SPREAD)
    table = table.join(_profiles(name, table, means, rule), on="slide")
    return table.assign(flag=_flags(table, rule.max_deviation))


def _profiles(
    name: str, table: pd.DataFrame, means: pd.DataFrame, rule: ConsistencyRule
) -> pd.DataFrame:
    """Compare the markers of a class among siblings: one row per slide, by its name."""
    enough = table.loc[table["n_cells"] >= rule.min_class_cells, "slide"]
    own = means[(means["class"] == name) & means["slide"].isin(enough)]
    levels = own.pivot_table(index="slide", columns="gene", values="log2_mean")
    columns = {"marker_distance": np.nan, "marker_deviation": np.nan, "deviant_genes": None}
    found = pd.DataFrame(columns, index=table["slide"]).assign(reason=TOO_FEW_CELLS)
    # Other is what nothing speaks for: it has no profile that could be the same everywhere.
    if name == OTHER or means.empty:
        return found.assign(reason=NO_MARKERS)
    if len(levels) < rule.min_siblings:
        return found.assign(reason=TOO_FEW_SLIDES)
    away = levels - levels.median()
    distances = np.sqrt((away**2).mean(axis=1))
    found.loc[levels.index, "marker_distance"] = distances
    deviations = robust_deviations(distances.to_numpy(), _LEAST_MARKER_SPREAD)
    found.loc[levels.index, "marker_deviation"] = deviations
    found["deviant_genes"] = pd.Series(
        {slide: _most_deviant(row) for slide, row in away.iterrows()}
    )
    found.loc[levels.index, "reason"] = None
    return found


def _most_deviant(away: pd.Series) -> str:
    """Return the genes that differ most, as ``CD3E +2.1, KRT8 -1.4``."""
    genes = away.abs().sort_values(ascending=False, kind="stable").index[:_SHOWN_GENES]
    return ", ".join(f"{gene} {away[gene]:+.1f}" for gene in genes)


def _flags(table: pd.DataFrame, limit: float) -> pd.Series:
    composition = (table["share_deviation"].abs() > limit).to_numpy()
    markers = (table["marker_deviation"] > limit).to_numpy()
    words = {"composition": composition, "markers": markers}
    texts = [
        ";".join(word for word, flagged in words.items() if flagged[row]) or None
        for row in range(len(table))
    ]
    return pd.Series(texts, index=table.index, dtype=object)
