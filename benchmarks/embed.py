"""Features of nuclei: time, memory, and what they know of the classes, on a slide that has been through ``rasterise``.

``--source`` is a CellViT checkpoint or the folder of a transformers model. Prints seconds per 1,000 nuclei, peak memory, and
how well a linear probe (logistic regression on standardised features, five folds) tells ``final_label``, by balanced
accuracy, beside that of a probe on the area of the nucleus alone.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import anndata
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sthelar_build.settings.embed import EmbedSettings
from sthelar_build.stages import embed


def probe(features: Any, labels: Any) -> float:
    """Return the balanced accuracy of a linear probe."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, C=0.1, class_weight="balanced"))  # fmt: skip
    return float(cross_val_score(model, features, labels, cv=5, scoring="balanced_accuracy").mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the slide")
    parser.add_argument("--he", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the table, h5ad")
    parser.add_argument("--scale", default="40x")
    parser.add_argument("--rule", default="mean")
    parser.add_argument("--view", default="nucleus")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--least", type=int, default=50, help="nuclei of a class that is probed")
    given = parser.parse_args()

    told = {"kind": "cellvit", "checkpoint": str(given.source), "rule": given.rule}
    if given.source.is_dir():
        told = {"kind": "transformers", "folder": str(given.source), "rule": given.rule, "view": given.view}  # fmt: skip
    r = given.results
    start, start_cpu = time.perf_counter(), time.process_time()
    embed.run(
        he=given.he,
        patches=r / f"patches_{given.scale}.parquet",
        masks=r / f"masks_{given.scale}" / "manifest.json",
        nuclei=r / "nuclei.parquet",
        transform=r / "transform.json",
        labels=r / "labels.parquet",
        source=given.source,
        model="m",
        features=given.out,
        settings=EmbedSettings(models={"m": told}, device=given.device),
        threads=given.threads,
    )
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table = anndata.read_h5ad(given.out)
    seen = table[table.obs["reason"].isna()]
    facts = table.uns["embedding"]
    print(f"{seen.n_obs} of {table.n_obs} nuclei, {table.n_vars} features, {given.threads} threads")
    print(f"{seconds:.1f} s, {1000 * seconds / seen.n_obs:.2f} s per 1,000 nuclei (of the processor {1000 * cpu / seen.n_obs:.2f} s), peak {peak_mb:.0f} MB")  # fmt: skip
    n_clusters = seen.obs["kmeans_clustersHE_m"].nunique()
    print(f"{facts['n_components']} components, {n_clusters} clusters")
    counts = seen.obs["final_label"].value_counts()
    kept = seen[seen.obs["final_label"].isin(counts.index[counts >= given.least])]
    labels = kept.obs["final_label"].astype(str).to_numpy()
    area = (kept.obs["visible_px"] / kept.obs["n_patches"]).to_numpy()[:, None]
    print(f"probe of {len(np.unique(labels))} classes: {probe(kept.X, labels):.3f}; of the area alone: {probe(area, labels):.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
