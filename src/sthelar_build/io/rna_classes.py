"""What the RNA says of every nucleus of a slide: its cell, the label, how sure it is, and its class in a grouping."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from sthelar_build.errors import InputError
from sthelar_build.io.tables import read_table
from sthelar_build.schema.groupings import Grouping
from sthelar_build.schema.tables import LABELS, NUCLEI


def read_rna_classes(nuclei: Path, labels: Path, grouping: Grouping) -> pd.DataFrame:
    """Return ``cell_id``, ``final_label``, ``confidence`` and ``code`` by nucleus id, from 0 on.

    ``code`` is the index of the class in the grouping, 0 where there is no such nucleus: in row 0, and in gaps.
    InputError if a nucleus belongs to a cell without labels.
    """
    owner = read_table(nuclei, NUCLEI, ["nucleus_id", "cell_id"]).set_index("nucleus_id")["cell_id"]
    columns = dict.fromkeys(["cell_id", "final_label", "confidence", grouping.basis])
    said = read_table(labels, LABELS, list(columns)).set_index("cell_id")
    unlabelled = owner[~owner.isin(said.index)]
    if len(unlabelled):
        raise InputError(
            f"{labels}: expected a row for the cell of every nucleus, found none for {unlabelled.iloc[0]}; "
            "run refine again"
        )
    words = said[grouping.basis].astype(object).where(said[grouping.basis].notna(), None)
    index_of = cache(grouping.index_of)
    said = said.assign(code=[index_of(word) for word in words])
    table = said.loc[owner].reset_index().set_axis(owner.index)
    last = int(owner.index.max()) if len(owner) else 0
    table = table.reindex(range(last + 1))
    return table.assign(code=table["code"].fillna(0).astype("uint8"))
