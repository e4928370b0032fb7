"""Transcripts of which only the place matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import write_table
from sthelar_build.schema import tables


def write_molecules(path: Path, places_um: ArrayLike = ()) -> Path:
    """Write ``transcripts.parquet`` of molecules at places (n, 2), x first."""
    x_um, y_um = np.asarray(places_um, dtype=np.float32).reshape(-1, 2).T
    n = len(x_um)
    table = pd.DataFrame(
        {
            "transcript_id": np.arange(n, dtype=np.uint64),
            "cell_id": np.full(n, None, dtype=object),
            "overlaps_nucleus": np.zeros(n, dtype=bool),
            "feature_name": pd.Categorical(["CD3E"] * n),
            "category": pd.Categorical([tables.GENE] * n),
            "x_um": x_um,
            "y_um": y_um,
            "z_um": np.zeros(n, dtype=np.float32),
            "qv": np.full(n, 40, dtype=np.float32),
        }
    )
    write_table(path, table, tables.TRANSCRIPTS, provenance("test"))
    return path
