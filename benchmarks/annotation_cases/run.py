"""The real stages on a case."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from annotation_cases.files import (
    CELLS,
    COUNTS_CELLS,
    COUNTS_NUCLEI,
    LABEL_KEY,
    NUCLEI,
    REFERENCE,
)
from annotation_cases.plan import Plan
from sthelar_build.settings.annotate import AnnotateSettings
from sthelar_build.settings.cluster import ClusterSettings
from sthelar_build.settings.refine import RefineSettings
from sthelar_build.stages import annotate, cluster, refine

STAGES = ("annotate", "cluster", "refine")
TABLES = ("nuclei", "cells", "combined")
CONDITIONS = {"breast_cancer": ("breast", "cancer"), "skin": ("skin", "normal")}
Settings = Mapping[str, Mapping[str, Any]]


def run_stages(
    folder: Path, plan: Plan, settings: Settings, again: Collection[str], threads: int
) -> None:
    """Run the stages of a case: those named, and those whose files are not there."""
    for objects in ("nuclei", "cells"):
        out = folder / f"tangram_{objects}.parquet"
        if "annotate" in again or not out.exists():
            chosen = AnnotateSettings(**settings.get("annotate", {}))
            counts, atlas = folder / f"counts_{objects}.h5ad", folder / REFERENCE
            annotate.run(counts, atlas, LABEL_KEY, out, chosen, threads=threads)
    for table in TABLES:
        out = folder / f"clusters_{table}.h5ad"
        if "cluster" in again or not out.exists():
            chosen_here = ClusterSettings(**settings.get("cluster", {}))
            nuclei, cells = folder / COUNTS_NUCLEI, folder / COUNTS_CELLS
            cluster.run(nuclei, cells, table, out, chosen_here, threads=threads)
    if "refine" in again or not (folder / "labels.parquet").exists():
        _refine(folder, plan, RefineSettings(**settings.get("refine", {})))


def _refine(folder: Path, plan: Plan, settings: RefineSettings) -> None:
    tissue, condition = CONDITIONS[plan.tissue]
    refine.run(
        cells=folder / CELLS,
        counts_cells=folder / COUNTS_CELLS,
        tangram_cells=folder / "tangram_cells.parquet",
        tangram_nuclei=folder / "tangram_nuclei.parquet",
        **{f"clusters_{table}": folder / f"clusters_{table}.h5ad" for table in TABLES},
        tissue=tissue,
        condition=condition,
        labels=folder / "labels.parquet",
        evidence=folder / "evidence.parquet",
        overrides=folder / "overrides.parquet",
        pictures=folder / "refine",
        settings=settings,
    )


def same_labels(folder: Path, scratch: Path, plan: Plan, settings: Settings) -> bool:
    """Return whether all stages, run again with two threads, give the labels that are there."""
    for name in (CELLS, NUCLEI, COUNTS_CELLS, COUNTS_NUCLEI, REFERENCE):
        shutil.copy(folder / name, scratch / name)
    run_stages(scratch, plan, settings, STAGES, threads=2)
    one, two = (pd.read_parquet(place / "labels.parquet") for place in (folder, scratch))
    return bool(one.equals(two))
