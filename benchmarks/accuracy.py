"""What the workflow finds on the toy slides against what is known of them; needs a finished ``make toy``.

Class accuracy: share of all cells whose ``final_label`` is the true class; the truth of a cell with fewer than 10 counted
transcripts is Other. Registration error: distance between where nuclei are put on the H&E and where they are, in um.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import anndata
import geopandas
import numpy as np
import pandas as pd
from figures import Figure, add_figures, add_json

from sthelar_build.io.transform import read_transform
from sthelar_build.schema.frames import Affine, Frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, nargs="?", default=Path(), help="folder of the run (.)")
    add_json(parser)
    arguments = parser.parse_args()
    root = arguments.root
    if not (root / "results").is_dir():
        print(f"left out: {root / 'results'} is not there; make toy")
        return
    print(
        "slide        cells  class accuracy  fine accuracy  registration error um (median, p95)  Jaccard 40x"
    )
    for truth in sorted((root / "resources" / "toy").iterdir()):
        results = root / "results" / truth.name
        cells = geopandas.read_parquet(truth / "truth" / "cells.parquet").set_index("cell_id")
        right, fine = accuracy(results, cells)
        errors = registration_errors(results, truth, cells)
        jaccard = pd.read_parquet(results / "metrics_40x.parquet").Jaccard.median()
        print(
            f"{truth.name:12s} {len(cells):5d}  {right:14.4f}  {fine:13.4f}"
            f"  {np.median(errors):16.3f}, {np.quantile(errors, 0.95):.3f}  {jaccard:21.3f}"
        )
        size = f"{truth.name}, {len(cells)} cells"
        figures = [
            Figure(
                "registration",
                size,
                "um, median",
                float(np.median(errors)),
                0.5,
                "at most",
                is_limit=True,
            ),
            Figure(
                "annotation", size, "share right", float(right), 0.95, "at least", is_limit=True
            ),
        ]
        add_figures(arguments.json, figures)


def accuracy(results: Path, cells: pd.DataFrame) -> tuple[float, float]:
    """Return the share of cells with the right class, and of counted cells with the right fine label."""
    labels = pd.read_parquet(results / "labels.parquet").set_index("cell_id").loc[cells.index]
    obs = anndata.read_h5ad(results / "counts_cells.h5ad").obs
    counted = obs.set_index(obs.cell_id.astype(str)).transcript_counts.loc[cells.index] >= 10
    right = labels.final_label == cells.class_name.where(counted, "Other")
    return right.mean(), (labels.label2 == cells.fine_label)[counted].mean()


def registration_errors(results: Path, truth: Path, cells: geopandas.GeoDataFrame) -> np.ndarray:
    """Return the error of every cell's place on the H&E, in um."""
    found = read_transform(results / "transform.json")
    known = json.loads((truth / "truth" / "truth.json").read_text(encoding="utf-8"))
    true = Affine(np.array(known["matrix"]), Frame.HE, Frame.MORPHOLOGY)
    centres = cells.geometry.centroid
    on_he = found.um_to_he.apply(np.column_stack([centres.x, centres.y]))
    apart = true.apply(on_he) - found.he_to_morphology.apply(on_he)
    return np.asarray(np.hypot(*apart.T) * found.pixel_size_um)


if __name__ == "__main__":
    main()
