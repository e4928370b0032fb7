"""A case on disk: what the stages read, and the truth."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

from annotation_cases.plan import Plan
from annotation_cases.reference import case_atlas
from annotation_cases.slide import CountedSlide, counted_slide
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.provenance import Provenance
from sthelar_build.io.tables import write_table
from sthelar_build.schema import tables

PLAN, TRUTH = "plan.json", "truth.parquet"
CELLS, NUCLEI = "cells.parquet", "nuclei.parquet"
COUNTS_CELLS, COUNTS_NUCLEI = "counts_cells.h5ad", "counts_nuclei.h5ad"
REFERENCE, LABEL_KEY = "reference.h5ad", "cell_type"
_SOURCE: Provenance = {"stage": "benchmark"}


def is_made(folder: Path, plan: Plan) -> bool:
    """Return whether the folder holds just this case."""
    path = folder / PLAN
    return path.exists() and json.loads(path.read_text()) == _as_json(plan)


def make_case(folder: Path, plan: Plan) -> None:
    """Simulate a case and write it; the plan comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    slide = counted_slide(plan)
    write_table(folder / CELLS, slide.cells, tables.CELLS, _SOURCE)
    write_table(folder / NUCLEI, slide.nuclei, tables.NUCLEI, _SOURCE)
    place = ["cell_id", "x_um", "y_um", "area_um2"]
    cells = slide.cells[place].set_axis(slide.cells["cell_id"].to_numpy())
    nuclei = slide.nuclei[["nucleus_id", *place]]
    nuclei = nuclei.set_axis(nuclei["nucleus_id"].astype(str).to_numpy())
    _write_counts(folder / COUNTS_CELLS, slide, slide.cell_counts, cells, plan)
    _write_counts(folder / COUNTS_NUCLEI, slide, slide.nucleus_counts, nuclei, plan)
    _write_reference(folder / REFERENCE, slide, plan)
    truth = pd.DataFrame(slide.truth)[["cell_id", "fine_label", "class_name", "low_count"]]
    truth.to_parquet(folder / TRUTH)
    (folder / PLAN).write_text(json.dumps(_as_json(plan), indent=1))


def _as_json(plan: Plan) -> object:
    return json.loads(json.dumps(asdict(plan)))


def _write_counts(
    path: Path, slide: CountedSlide, counts: sp.csr_matrix, obs: pd.DataFrame, plan: Plan
) -> None:
    """Write a count table as the stage ``count`` does; there are no controls."""
    obs = obs.assign(transcript_counts=np.asarray(counts.sum(axis=1), np.int64).ravel())
    panel = slide.programmes.first(plan.panel)
    table = anndata.AnnData(
        counts.astype(np.float32),
        obs=obs,
        var=pd.DataFrame({"gene_id": list(panel.gene_ids)}, index=list(panel.genes)),
        obsm={"spatial": obs[["x_um", "y_um"]].to_numpy()},
    )
    write_h5ad(path, table, _SOURCE)


def _write_reference(path: Path, slide: CountedSlide, plan: Plan) -> None:
    atlas = case_atlas(plan, slide.programmes)
    names = [f"cell_{number:05d}" for number in range(len(atlas.labels))]
    table = anndata.AnnData(
        X=atlas.counts,
        obs=pd.DataFrame({LABEL_KEY: pd.Categorical(atlas.labels)}, index=names),
        var=pd.DataFrame(
            {"gene_id": list(slide.programmes.gene_ids)}, index=list(slide.programmes.genes)
        ),
    )
    write_h5ad(path, table, _SOURCE)
