"""The nuclei of a slide as the registration looks at them, read without all of shapely's objects at once."""

from __future__ import annotations

from pathlib import Path

from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.outlines import Outlines
from sthelar_build.errors import InputError
from sthelar_build.io.tables import geometry_batches, read_table
from sthelar_build.schema.tables import NUCLEI


def read_nucleus_map(path: Path) -> NucleusMap:
    """Read ``schema.tables.NUCLEI``; InputError if it does not fit, or has no nucleus."""
    table = read_table(path, NUCLEI, ["x_um", "y_um", "area_um2"])
    if table.empty:
        raise InputError(f"{path}: expected at least one nucleus, found none; check the bundle")
    outlines = Outlines.joined(Outlines.of(batch) for batch in geometry_batches(path))
    return NucleusMap(outlines, table[["x_um", "y_um"]].to_numpy(), table["area_um2"].to_numpy())
