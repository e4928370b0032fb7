"""What a dataset holds, counted per slide, class and split, for its card and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sthelar_build.core.rare_classes import rarest_class
from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.schema.labels import PATCH_CLASS_NAMES, PATCH_CLASSES


def slide_facts(table: pd.DataFrame, splits: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Count the patches of every slide.

    Parameters
    ----------
    table
        Every patch: ``slide``, ``complete``, ``n_nuclei``, ``Jaccard``, ``covered_fraction``, ``blur_um``.
    splits
        The same rows: ``split``, ``reason``.

    Returns
    -------
    By slide: ``patches``, ``nuclei`` (drawn, once per patch that shows them), ``nuclei_per_patch`` (median of those with
    any), ``median_jaccard``, ``mean_covered`` (of the patches with nuclei), ``median_blur_um`` and ``p95_blur_um`` (None
    without any), patches in every split, and patches in none by reason.
    """
    facts = {}
    for slide, rows in table.groupby("slide", sort=True):
        mine = splits.loc[rows.index]
        in_split = mine["split"].value_counts()
        facts[str(slide)] = {
            "patches": len(rows),
            "nuclei": int(rows["n_nuclei"].sum()),
            "nuclei_per_patch": _quantile(rows["n_nuclei"].where(rows["n_nuclei"] > 0), 0.5),
            "median_jaccard": _quantile(rows["Jaccard"], 0.5),
            "mean_covered": _mean(rows["covered_fraction"].where(rows["n_nuclei"] > 0)),
            "median_blur_um": _quantile(rows["blur_um"].where(rows["complete"]), 0.5),
            "p95_blur_um": _quantile(rows["blur_um"].where(rows["complete"]), 0.95),
            "splits": {name: int(in_split.get(name, 0)) for name in SPLIT_NAMES},
            "left_out": {k: int(n) for k, n in mine["reason"].value_counts().sort_index().items()},
        }
    return facts


def class_facts(
    table: pd.DataFrame, splits: pd.DataFrame, cells: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Count cells and drawn nuclei of every published class, and say which one is the rarest.

    ``table`` has one column per class, ``splits`` the same rows; ``cells`` counts the cells of all slides by published class.
    """
    facts = []
    in_split = table[splits["split"].notna()]
    rarest = rarest_class(in_split[list(PATCH_CLASS_NAMES)].to_numpy())
    for place, cell_class in enumerate(PATCH_CLASSES):
        drawn = in_split[cell_class.name].groupby(splits["split"]).sum()
        facts.append(
            {
                "index": cell_class.index,
                "name": cell_class.name,
                "colour": cell_class.hex_colour,
                "cells": int(cells.get(cell_class.name, 0)),
                "rarest": place == rarest,
                "splits": {name: int(drawn.get(name, 0)) for name in SPLIT_NAMES},
            }
        )
    return facts


def split_facts(
    slides: Sequence[Mapping[str, Any]], classes: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Sum patches, nuclei and slides of every split from the facts of slides and classes."""
    return [
        {
            "name": name,
            "patches": sum(slide["splits"][name] for slide in slides),
            "nuclei": sum(cell_class["splits"][name] for cell_class in classes),
            "slides": sum(slide["splits"][name] > 0 for slide in slides),
        }
        for name in SPLIT_NAMES
    ]


def _quantile(values: pd.Series[Any], q: float) -> float | None:
    known = values.dropna()
    return float(known.quantile(q)) if len(known) else None


def _mean(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.mean()) if len(known) else None
