"""Counting transcripts with public packages, each as its users do; run by the interpreter of ``.venv-peers``.

``python peers.py METHOD BUNDLE OUT [nuclei]``: counts genes of quality 20 or more in cells, and on request in nuclei, and writes
``OUT_cells.npz`` and ``OUT_nuclei.npz``: CSR parts, names of rows and of columns. Nothing of this project is imported here.

=============== ====================================================================================================
sopa            spatialdata_io.xenium, then sopa.aggregation.count_transcripts: points in outlines
sjoin           geopandas: points in outlines, ``sjoin`` and a table of pairs
spatialdata     spatialdata_io.xenium, then spatialdata.aggregate of the points by the outlines
pandas          the vendor's ``cell_id``, read and grouped whole with pandas
polars          the same with the streaming engine of polars: the strongest plain form
=============== ====================================================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

MIN_QV = 20
SHAPES = {"cells": "cell_boundaries", "nuclei": "nucleus_boundaries"}
KEYS = {"cells": "cell_id", "nuclei": "label_id"}
UNASSIGNED = "UNASSIGNED"
COLUMNS = ["cell_id", "feature_name", "qv", "is_gene"]
Counts = tuple[sp.csr_matrix, Any, Any]
"""Counts, names of the rows, names of the columns."""


def sopa(bundle: Path, what: Sequence[str]) -> list[Counts]:
    """Count with sopa what spatialdata-io reads; what is of low quality is marked as sopa's reader marks it."""
    from sopa.aggregation import count_transcripts

    sdata = _read(bundle, what)
    points = sdata.points["transcripts"]
    points["low_quality_transcript"] = points["qv"] < MIN_QV
    found = []
    for name in what:
        table = count_transcripts(sdata, "feature_name", SHAPES[name], "transcripts")
        # It gives the rows new names, in the order of the shapes.
        found.append((sp.csr_matrix(table.X), sdata[SHAPES[name]].index, table.var_names))
    return found


def spatialdata(bundle: Path, what: Sequence[str]) -> list[Counts]:
    """Aggregate with spatialdata."""
    from spatialdata import aggregate

    sdata = _read(bundle, what)
    points = sdata.points["transcripts"]
    points = points[points["qv"] >= MIN_QV]
    found = []
    for name in what:
        table = aggregate(
            values=points,
            by=sdata[SHAPES[name]],
            value_key="feature_name",
            agg_func="count",
            target_coordinate_system="global",
        ).tables["table"]
        found.append((sp.csr_matrix(table.X), table.obs["instance_id"], table.var_names))
    return found


def _read(bundle: Path, what: Sequence[str]) -> Any:
    """Read transcripts and outlines, and nothing that need not be read."""
    from spatialdata_io import xenium

    return xenium(
        bundle,
        nucleus_boundaries="nuclei" in what,
        cells_labels=False,
        nucleus_labels=False,
        morphology_mip=False,
        morphology_focus=False,
        aligned_images=False,
    )


def sjoin(bundle: Path, what: Sequence[str]) -> list[Counts]:
    """Join points to the outlines with geopandas."""
    import geopandas
    import pandas as pd

    columns = ["feature_name", "x_location", "y_location", "qv", "is_gene"]
    found = pd.read_parquet(bundle / "transcripts.parquet", columns=columns)
    found = found[found["is_gene"] & (found["qv"] >= MIN_QV)]
    genes = found["feature_name"].astype("category")
    points = geopandas.points_from_xy(found["x_location"], found["y_location"])
    table = geopandas.GeoDataFrame({"gene": genes.cat.codes.to_numpy()}, geometry=points)
    counted = []
    for name in what:
        ids, outlines = _outlines(bundle / f"{SHAPES[name]}.parquet", KEYS[name])
        pairs = table.sjoin(geopandas.GeoDataFrame(geometry=outlines), predicate="within")
        counted.append(_counts(pairs["index_right"], pairs["gene"], ids, genes.cat.categories))
    return counted


def _outlines(path: Path, key: str) -> tuple[Any, Any]:
    import pandas as pd
    import shapely

    rings = pd.read_parquet(path)
    number, ids = pd.factorize(rings[key])
    vertices = rings[["vertex_x", "vertex_y"]].to_numpy(float)
    return ids, shapely.polygons(shapely.linearrings(vertices, indices=number))


def pandas(bundle: Path, what: Sequence[str]) -> list[Counts]:
    """Group by the ids of the vendor with pandas."""
    import pandas as pd

    found = pd.read_parquet(bundle / "transcripts.parquet", columns=COLUMNS)
    good = found["is_gene"] & (found["qv"] >= MIN_QV) & (found["cell_id"] != UNASSIGNED)
    found = found.loc[good, ["cell_id", "feature_name"]].astype("category")
    cells, genes = found["cell_id"].cat, found["feature_name"].cat
    return [_counts(cells.codes, genes.codes, cells.categories, genes.categories)]


def polars(bundle: Path, what: Sequence[str]) -> list[Counts]:
    """Group by the ids of the vendor with polars."""
    import polars as pl

    good = pl.col("is_gene") & (pl.col("qv") >= MIN_QV) & (pl.col("cell_id") != UNASSIGNED)
    grouped = (
        pl.scan_parquet(bundle / "transcripts.parquet")
        .filter(good)
        .group_by("cell_id", "feature_name")
        .len()
        .collect(engine="streaming")
    )
    words = [grouped[name].unique().sort() for name in ("cell_id", "feature_name")]
    kinds = [pl.Enum(one) for one in words]
    rows, columns = (
        grouped[name].cast(kind).to_physical().to_numpy()
        for name, kind in zip(("cell_id", "feature_name"), kinds, strict=True)
    )
    return [_counts(rows, columns, *words, grouped["len"].to_numpy())]


def _counts(rows: Any, columns: Any, cells: Any, genes: Any, values: Any = None) -> Counts:
    ones = np.ones(len(rows), np.int32) if values is None else values.astype(np.int32)
    pairs = np.asarray(rows), np.asarray(columns)
    return sp.csr_matrix((ones, pairs), shape=(len(cells), len(genes))), cells, genes


METHODS: dict[str, Callable[[Path, Sequence[str]], list[Counts]]] = {
    method.__name__: method for method in (sopa, sjoin, spatialdata, pandas, polars)
}


def main(name: str, bundle: str, out: str, *more: str) -> None:
    """Count, and write."""
    what = ["cells", *more]
    for kind, (counts, objects, genes) in zip(what, METHODS[name](Path(bundle), what), strict=True):
        np.savez(
            f"{out}_{kind}.npz",
            data=counts.data,
            indices=counts.indices,
            indptr=counts.indptr,
            objects=np.asarray(objects).astype(str),
            genes=np.asarray(genes).astype(str),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
