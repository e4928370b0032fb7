"""Describe every nucleus by the features of an image model, and cluster it by them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.nucleus_features import cluster_column, type_columns, visibility
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.features import FeatureRows, write_features
from sthelar_build.io.provenance import checksum, checksums, provenance
from sthelar_build.io.slide_nuclei import SlideNuclei, open_slide_nuclei
from sthelar_build.io.tables import read_table
from sthelar_build.options import InFile, MaybeInFile, OutFile, Threads, Word, as_json
from sthelar_build.schema.tables import LABELS
from sthelar_build.settings.embed import CellvitFeatures, EmbedSettings, TransformersFeatures

logger = logging.getLogger(__name__)

Model = CellvitFeatures | TransformersFeatures


def run(
    he: InFile,
    patches: InFile,
    masks: InFile,
    nuclei: InFile,
    transform: InFile,
    source: InFile,
    model: Word,
    features: OutFile,
    settings: Annotated[EmbedSettings, as_json(EmbedSettings)],
    labels: MaybeInFile = None,
    threads: Threads = 1,
) -> None:
    """Describe every nucleus by the features of an image model, and cluster it by them."""
    from sthelar_build.adapters.image_features import one_thread_a_call
    from sthelar_build.adapters.nucleus_embedding import embedding_of

    chosen = _model(settings, model)
    inputs = {
        "he": he,
        "patches": patches,
        "masks": masks,
        "nuclei": nuclei,
        "transform": transform,
        "labels": labels,
    }
    origin = provenance("embed", settings, inputs)
    origin["inputs"]["source"] = _source_facts(source)
    with (
        open_slide_nuclei(he, masks.parent, patches, nuclei, transform) as slide,
        published(features) as draft,
    ):
        with one_thread_a_call():
            embedding = embedding_of(slide, chosen, settings, source, threads)
            rows, type_px = _collect(draft.with_name("rows"), embedding, slide)
        obs = _obs(slide, embedding.seen, labels)
        if embedding.types:
            named = type_columns(type_px, embedding.types)
            obs[named.columns] = named.set_axis(obs.index)
        clusters, facts = _clusters(rows, settings, threads)
        obs[f"kmeans_clustersHE_{model}"] = cluster_column(clusters, embedding.seen)
        facts |= {"model": model, **_kind(chosen), **embedding.facts}
        write_features(draft, rows, embedding.seen, obs, {"embedding": facts}, origin)
    _log(model, obs["reason"])


def _model(settings: EmbedSettings, name: str) -> Model:
    if name not in settings.models:
        known = ", ".join(settings.models) or "none"
        raise ConfigError(
            f"--model: expected a model of embed.models ({known}), found {name!r}; add it there"
        )
    return settings.models[name]


def _source_facts(source: Path) -> dict[str, Any]:
    found = {"files": checksums(source)} if source.is_dir() else checksum(source)
    return {"file": source.name, **found}


def _kind(model: Model) -> dict[str, Any]:
    return model.model_dump(mode="json", include={"kind", "rule", "view", "pooling"})


def _collect(
    path: Path, embedding: Any, slide: SlideNuclei
) -> tuple[FeatureRows, NDArray[np.int64]]:
    """Write the features of the nuclei that are seen to a file; return it, and the pixels of types of all (n, t)."""
    seen_ids = slide.ids[embedding.seen]
    rows = FeatureRows.create(path, len(seen_ids), embedding.dim)
    type_px = np.zeros((len(seen_ids), len(embedding.types)), dtype=np.int64)
    order = np.argsort(seen_ids)
    for sums in embedding.found:
        places = order[np.searchsorted(seen_ids, sums.nucleus_ids, sorter=order)]
        rows.write(places, sums.features)
        type_px[places] = sums.type_px
    of_all = np.zeros((len(slide.table), len(embedding.types)), dtype=np.int64)
    of_all[embedding.seen] = type_px
    return rows, of_all


def _obs(slide: SlideNuclei, seen: NDArray[np.bool_], labels: Path | None) -> pd.DataFrame:
    known = slide.table[["nucleus_id", "cell_id"]]
    obs = pd.concat([known, visibility(slide.ids, slide.appearances)], axis=1)
    if labels:
        obs["final_label"] = _labels_of(obs["cell_id"], labels)
    obs["reason"] = slide.reasons(seen)
    return obs.set_index(obs["nucleus_id"].astype(str).to_numpy())


def _labels_of(cell_ids: pd.Series, labels: Path) -> pd.Categorical:
    table = read_table(labels, LABELS, ["cell_id", "final_label"]).set_index("cell_id")
    found = table["final_label"].reindex(cell_ids)
    if found.isna().any():
        raise InputError(
            f"{labels}: expected a row for the cell of every nucleus, found none for {found.isna().sum()} nuclei; "
            "run refine again"
        )
    return pd.Categorical(found.to_numpy())


def _clusters(
    rows: FeatureRows, settings: EmbedSettings, threads: int
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    from sthelar_build.adapters.feature_clusters import Recipe, cluster_features

    n = rows.shape[0]
    if not n:
        return np.empty(0, dtype=np.int64), {}
    recipe = Recipe(settings.variance, settings.max_clusters, settings.cluster_rows, settings.seed)
    found = cluster_features(n, rows.read, rows.blocks, recipe, threads)
    facts = {
        "n_components": found.n_components,
        "n_fitted": found.n_fitted,
        "inertias": found.inertias,
    }
    return found.cluster, facts


def _log(model: str, reason: pd.Series) -> None:
    n_seen, n = int(reason.isna().sum()), len(reason)
    left_out = ", ".join(f"{k} {word}" for word, k in reason.value_counts().items() if k)
    logger.info(
        "%s: features of %d of %d nuclei; the others: %s", model, n_seen, n, left_out or "none"
    )
