"""The provenance of several artefacts, read back from wherever each keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sthelar_build.io.provenance import Provenance
from sthelar_build.io.records import PROVENANCE, read_record
from sthelar_build.io.tables import read_provenance


def lineage(paths: Iterable[Path]) -> list[tuple[str, Provenance]]:
    """Return name and provenance of the JSON and parquet files among ``paths``; others have none.

    A manifest is named with its folder.
    """
    found = []
    for path in paths:
        if path.suffix == ".json":
            name = path.name if path.name != "manifest.json" else f"{path.parent.name}/{path.name}"
            found.append((name, read_record(path).get(PROVENANCE, {})))
        elif path.suffix == ".parquet":
            found.append((path.name, read_provenance(path)))
    return found
