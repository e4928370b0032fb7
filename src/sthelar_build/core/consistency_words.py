"""The comparison of the slides in words, for the log and the page of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sthelar_build.core.consistency import SAME_TISSUE
from sthelar_build.core.wording import percent
from sthelar_build.schema.labels import CLASS_NAMES

Row = Mapping[str, Any]


def flag_words(row: Row) -> str:
    """Return what stands out in a flagged row of the table of consistency, as one sentence."""
    kin = f"the {row['n_slides']} slides" + (
        f" of {row['tissue']}" if row["compared_with"] == SAME_TISSUE else ""
    )
    parts = []
    if "composition" in row["flag"]:
        parts.append(
            f"{percent(row['share'])} of the cells, {percent(row['median_share'])} in the median of {kin} "
            f"({row['share_deviation']:+.1f} deviations)"
        )
    if "markers" in row["flag"]:
        parts.append(
            f"markers unlike those on {kin} by {row['marker_distance']:.1f} log2 steps "
            f"({row['marker_deviation']:+.1f} deviations): {row['deviant_genes']}"
        )
    return f"{row['slide']}, {row['class']}: {'; '.join(parts)}"


def conflict_words(label: str, classes: Mapping[str, Sequence[str]]) -> str:
    """Return that a fine label stands for two classes, as one sentence."""
    places = "; ".join(f"{name} on {', '.join(slides)}" for name, slides in classes.items())
    return f"{label} is one fine label but several classes ({places}): correct a label map or a decision"


def page_facts(
    table: pd.DataFrame,
    conflicts: Mapping[str, Mapping[str, Sequence[str]]],
    n_genes: int,
    min_siblings: int,
) -> dict[str, Any]:
    """Return what the page of the dataset shows of the table of consistency.

    ``rows`` hold the share of every class that occurs, by slide; ``flags`` and ``conflicts`` are sentences; ``unjudged``
    says, where there are too few slides, that nothing can be said.
    """
    classes = [name for name in CLASS_NAMES if name in set(table["class"])]
    rows = [
        {"slide": slide, "tissue": mine["tissue"].iloc[0], "cells": _cells(mine, classes)}
        for slide, mine in table.groupby("slide", sort=False)
    ]
    compared = table["share_deviation"].notna() | table["marker_deviation"].notna()
    return {
        "classes": classes,
        "rows": rows,
        "flags": [flag_words(row) for row in _flagged(table)],
        "conflicts": [conflict_words(label, found) for label, found in conflicts.items()],
        "judged": bool(compared.any()),
        "n_compared": int(compared.sum()),
        "unjudged": _unjudged(table["slide"].nunique(), min_siblings),
        "n_genes": n_genes,
    }


def _cells(mine: pd.DataFrame, classes: Sequence[str]) -> list[dict[str, Any]]:
    by_class = {row["class"]: row for row in mine.to_dict("records")}
    words = {row["class"]: flag_words(row) for row in _flagged(mine)}
    return [{"share": by_class[name]["share"], "flag": words.get(name, "")} for name in classes]


def _flagged(table: pd.DataFrame) -> list[Any]:
    return table[table["flag"].notna()].to_dict("records")


def _unjudged(n_slides: int, min_siblings: int) -> str:
    if n_slides >= min_siblings:
        return ""
    slides = "1 slide is" if n_slides == 1 else f"{n_slides} slides are"
    return (
        f"{slides} too few to judge: it takes {min_siblings} to tell which one is unlike the others. The shares below are "
        "shown, not judged."
    )
