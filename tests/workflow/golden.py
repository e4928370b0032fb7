"""Digests of what the toy slides decode to: a change of meaning shows, a change of bytes does not.

``python tests/workflow/golden.py results`` writes those of a finished toy run. Clusters and labels are
not among them: their sums differ in the last bits between processors, and a tie may fall otherwise. Their
accuracy is tested instead.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import zarr

from sthelar_build.config import Config

DECIMALS = 2
"""Floats are rounded: sums differ in the last bits between processors."""


def digest(arrays: Iterable[Any]) -> str:
    """Return a short SHA-256 of arrays by value."""
    found = hashlib.sha256()
    for array in arrays:
        values = np.asarray(array)
        if values.dtype.kind == "f":
            values = np.round(np.nan_to_num(values, nan=-1.0), DECIMALS) + 0.0
        if values.dtype.kind in "OUS":
            values = np.array([str(value) for value in values.ravel()])
        found.update(repr((values.shape, values.tolist())).encode())
    return found.hexdigest()[:16]


def of_table(path: Path, columns: list[str]) -> str:
    frame = pd.read_parquet(path, columns=columns)
    return digest(frame[column] for column in columns)


def of_counts(path: Path) -> str:
    table = anndata.read_h5ad(path)
    return digest([table.obs_names, table.var_names, table.X.indptr, table.X.indices, table.X.data])


def of_masks(folder: Path) -> str:
    instances = zarr.open_array(folder / "instances.zarr", mode="r")
    found = hashlib.sha256()
    for start in range(0, instances.shape[0], 32):
        found.update(np.ascontiguousarray(instances[start : start + 32], dtype="<u4").tobytes())
    return found.hexdigest()[:16]


def of_matrix(path: Path) -> str:
    return digest([np.asarray(json.loads(path.read_text())["matrix"])])


def digests(results: Path, slide: str) -> dict[str, str]:
    """Return one digest per artefact of a slide that must not change without a new revision."""
    folder = results / slide
    return {
        "ingest nuclei": of_table(
            folder / "nuclei.parquet", ["nucleus_id", "cell_id", "x_um", "y_um"]
        ),
        "ingest cells": of_table(folder / "cells.parquet", ["cell_id", "nucleus_count"]),
        "count nuclei": of_counts(folder / "counts_nuclei.h5ad"),
        "count cells": of_counts(folder / "counts_cells.h5ad"),
        "register": of_matrix(folder / "transform.json"),
        **{
            f"{stage} {scale}": value
            for scale in ("40x", "20x")
            for stage, value in {
                "tile": of_table(
                    folder / f"patches_{scale}.parquet", ["patch_id", "x_px", "y_px", "complete"]
                ),
                "rasterise": of_masks(folder / f"masks_{scale}"),
                "assess": of_table(folder / f"metrics_{scale}.parquet", ["patch_id", "n_true"]),
            }.items()
        },
    }


GOLDEN = Path(__file__).parents[1] / "golden" / "digests.json"
STAGES = ("ingest", "count", "register", "tile", "rasterise", "assess")


def revisions() -> dict[str, int]:
    """Return the revision of every stage whose artefacts have a digest."""
    return {stage: Config().settings_of(stage).model_dump()["revision"] for stage in STAGES}


def write(results: Path, slides: Iterable[str]) -> None:
    """Freeze the digests of a finished toy run."""
    golden = {
        "revisions": revisions(),
        "digests": {slide: digests(results, slide) for slide in slides},
    }
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), ("toy_breast", "toy_skin", "toy_auto"))
