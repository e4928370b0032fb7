"""``splits.parquet``: frozen by a hash of its content, which everyone who uses it checks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sthelar_build.core.frozen_splits import content_hash
from sthelar_build.errors import InputError
from sthelar_build.io.provenance import Provenance
from sthelar_build.io.tables import read_attributes, read_table, write_table
from sthelar_build.schema.tables import SPLITS

HASH = "sha256"
"""The attribute that holds the hash."""


def write_splits(
    path: Path, splits: pd.DataFrame, source: Provenance, facts: Mapping[str, Any]
) -> None:
    """Write the splits of a dataset with the hash of their content; ``facts`` (small, JSON) say how they were made."""
    write_table(path, splits, SPLITS, source, {**facts, HASH: content_hash(splits)})


def read_splits(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the splits and what is said of them, the hash among it; InputError unless the content has the hash."""
    splits = read_table(path, SPLITS)
    facts = read_attributes(path)
    stated, found = facts.get(HASH), content_hash(splits)
    if stated != found:
        raise InputError(
            f"{path}: expected splits with the content hash {stated or 'that collect writes beside them'}, found {found}: "
            "they were changed after they were frozen; restore the file, or make it again with collect"
        )
    return splits, facts
