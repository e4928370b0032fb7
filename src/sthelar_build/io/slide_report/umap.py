"""The UMAP of the cells, packed for a page that draws it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.cluster_names import in_order
from sthelar_build.core.packed_points import packed, packed_places, packed_shares
from sthelar_build.core.palette import hues
from sthelar_build.core.spread_rows import spread_rows
from sthelar_build.errors import InputError
from sthelar_build.io.hdf5 import UNREADABLE
from sthelar_build.schema.labels import CLASSES

_SEED = 0
_LEAST_OF_A_CLUSTER = 30
"""Cells of a cluster that are drawn, if it has so many: enough to be seen."""


@dataclass(frozen=True)
class ShownGroup:
    """One entry of a legend."""

    name: str
    colour: str
    n_cells: int
    """All cells of it, drawn or not."""
    class_name: str
    """The class that was decided; of a class, itself."""


@dataclass(frozen=True)
class ShownUmap:
    """A sample of the cells at their places."""

    n_cells: int
    """Cells that have a place."""
    n_drawn: int
    clusters: list[ShownGroup]
    classes: list[ShownGroup]
    places: str
    """``packed_places``."""
    cluster: str
    """Position of every point's cluster in ``clusters``, as base64 of uint16."""
    cell_class: str
    """Position of its class in ``classes``, as base64 of uint8."""
    confidence: str
    """``packed_shares``."""

    def record(self) -> dict[str, Any]:
        """Return everything as one JSON object."""
        return asdict(self)


def shown_umap(
    clusters_cells: Path, labels: pd.DataFrame, evidence: pd.DataFrame, most: int
) -> ShownUmap | None:
    """Return about ``most`` cells at most, some of every cluster; None if no cell was clustered.

    Parameters
    ----------
    clusters_cells
        ``clusters_cells.h5ad``.
    labels, evidence
        Columns of LABELS and EVIDENCE.
    """
    ids, places = _places(clusters_cells)
    cells = labels.set_index("cell_id").reindex(ids)
    known = cells["cluster"].notna().to_numpy() & np.isfinite(places).all(axis=1)
    cells, places = cells[known], places[known]
    if cells.empty:
        return None
    names = in_order(cells["cluster"].unique())
    cluster: NDArray[np.intp] = pd.Index(names).get_indexer(pd.Index(cells["cluster"]))
    present = [c for c in CLASSES if (cells["final_label"] == c.name).any()]
    of_class = pd.Index([c.name for c in present]).get_indexer(pd.Index(cells["final_label"]))
    decided = dict(zip(evidence["cluster"], evidence["final_label"], strict=True))
    rows = spread_rows(cluster, most, _LEAST_OF_A_CLUSTER, _SEED)
    return ShownUmap(
        n_cells=len(cells),
        n_drawn=len(rows),
        clusters=[
            ShownGroup(name, colour, n_cells, decided.get(name, ""))
            for name, colour, n_cells in zip(
                names, hues(len(names)), np.bincount(cluster).tolist(), strict=True
            )
        ],
        classes=[
            ShownGroup(c.name, c.hex_colour, n_cells, c.name)
            for c, n_cells in zip(present, np.bincount(of_class).tolist(), strict=True)
        ],
        places=packed_places(places[rows]),
        cluster=packed(cluster[rows], "<u2"),
        cell_class=packed(of_class[rows], "u1"),
        confidence=packed_shares(cells["confidence"].to_numpy(dtype=np.float64)[rows]),
    )


def _places(path: Path) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Return the ids and places (cells, 2) of the table; nothing else of it is read."""
    try:
        with h5py.File(path, "r") as file:
            ids = np.asarray(anndata.io.read_elem(file["obs/cell_id"]), dtype=object)
            places = np.asarray(file["obsm/X_umap"][()], dtype=np.float64)
    except UNREADABLE as error:
        raise InputError(
            f"{path}: expected clusters with cell_id and X_umap, found none that can be read; run cluster again"
        ) from error
    return ids, places
