"""What the page of a slide needs so that a person can decide on its labels there."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd

from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.vocabulary import vocabulary

_SHOWN = ["cluster", "cluster_key", "n_cells", "final_label"]


def review_facts(slide: str, evidence: pd.DataFrame, table: str | None) -> dict[str, Any]:
    """Return the clusters that can be named, the labels that they can be given, and the decisions so far.

    Parameters
    ----------
    slide
        Its name, and that of its table of decisions.
    evidence
        The columns of EVIDENCE; a cluster without a key has no cells, and is left out.
    table
        The text of the table; None if the slide has none.

    Returns
    -------
    ``slide``, ``clusters``, ``classes``, ``labels`` (all words that the column label takes), ``table``, and ``of``: what
    decisions that a browser keeps were made on. With other clusters it is another, and they are forgotten.
    """
    named = evidence.loc[evidence["cluster_key"].notna(), _SHOWN]
    clusters = named.rename(columns={"cluster_key": "key"}).to_dict("records")
    keys = "\n".join(named["cluster_key"])
    return {
        "slide": slide,
        "clusters": [{**one, "n_cells": int(one["n_cells"])} for one in clusters],
        "classes": list(CLASS_NAMES),
        "labels": [*CLASS_NAMES, *(known.label for known in vocabulary().values())],
        "table": table,
        "of": hashlib.sha256(keys.encode()).hexdigest()[:16],
    }
