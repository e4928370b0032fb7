"""Predict a slide with a network that was trained on the dataset, and compare with its masks and labels."""

from __future__ import annotations

import logging
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd

from sthelar_build.core.detection import DetectionCounts
from sthelar_build.core.evaluated_tables import (
    nucleus_frame,
    parts_of,
    patch_frame,
    patch_row,
    split_rank,
    split_word,
)
from sthelar_build.core.frozen_splits import misfit
from sthelar_build.core.magnification import nearest_magnification
from sthelar_build.core.model_classes import ModelClasses, match_classes
from sthelar_build.core.nucleus_votes import SlideVotes
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.evaluations import class_facts, part_facts, write_evaluation
from sthelar_build.io.patch_stream import patch_geometry, patch_table
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.rna_classes import read_rna_classes
from sthelar_build.io.slide_patches import open_slide_patches
from sthelar_build.io.splits import read_splits
from sthelar_build.options import InFile, MaybeInFile, OutFile, Threads, Word, as_json
from sthelar_build.schema.words import REGISTRATION
from sthelar_build.settings.evaluate import EvaluateSettings

if TYPE_CHECKING:
    from sthelar_build.adapters.cellvit.checkpoint import Checkpoint
    from sthelar_build.adapters.cellvit.predictor import Predictor

logger = logging.getLogger(__name__)


def run(
    slide: Word,
    scale: Word,
    he: InFile,
    patches: InFile,
    masks: InFile,
    metrics: InFile,
    nuclei: InFile,
    labels: InFile,
    splits: InFile,
    out: OutFile,
    settings: Annotated[EvaluateSettings, as_json(EvaluateSettings)],
    checkpoint: MaybeInFile = None,
    threads: Threads = 1,
) -> None:
    """Compare what the network sees in the patches of a slide with the nuclei drawn there and the classes of their RNA."""
    from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
    from sthelar_build.adapters.network_scores import Comparison, network_scores

    if checkpoint is None:
        raise ConfigError(
            "evaluate.checkpoint: expected the file of a trained network, found none; name one, or toy"
        )
    table = _chosen(slide, patch_table(patches, masks, metrics), splits, settings)
    side_px, um_per_px = patch_geometry(patches)
    network = open_checkpoint(checkpoint, settings.trust_checkpoint)
    classes = match_classes(network.nuclei_types)
    _log_classes(checkpoint, classes)
    owners = read_rna_classes(nuclei, labels, classes.grouping)
    predictor = _predictor(network, settings, side_px)
    magnification = _magnification(network, settings, um_per_px)
    by = Comparison(predictor, magnification, classes, owners.code.to_numpy())
    votes = SlideVotes(len(owners) - 1, len(classes.names))
    detection: defaultdict[str, DetectionCounts] = defaultdict(
        partial(DetectionCounts.none, len(classes.names))
    )
    rows = []
    with open_slide_patches(slide, "", side_px, he, masks.parent) as source:
        scored = network_scores(source, table, by, threads)
        for patch, scores in progress(scored, "patches compared", len(table)):
            votes.add(patch.nucleus_ids, scores.votes, scores.seen_px, split_rank(patch.split))
            rows.append(patch_row(patch.split, scores, classes.n_classes))
            detection[split_word(patch.split)] += scores.detection
    found, shown = nucleus_frame(owners, votes, classes), patch_frame(rows, classes)
    parts = parts_of(slide, found, shown, detection, classes.names, classes.n_classes)
    told = {part.split: part_facts(part, classes.grouping.other) for part in parts}
    record = {
        "slide": slide,
        "scale": scale,
        "side_px": side_px,
        "um_per_px": um_per_px,
        "network": _network_facts(network),
        "ran_on": {name: str(getattr(predictor, name)) for name in ("device", "precision")},
        "magnification": magnification,
        **class_facts(classes),
        "evaluated_splits": list(settings.splits),
        "n_patches": len(shown),
        "n_nuclei": len(found),
        "qc_jaccard": float(table.Jaccard.median()) if table.Jaccard.notna().any() else None,
        "splits": told,
    }
    inputs = {
        "he": he, "patches": patches, "masks": masks, "metrics": metrics, "nuclei": nuclei,
        "labels": labels, "splits": splits, "checkpoint": checkpoint,
    }  # fmt: skip
    with published(out) as draft:
        write_evaluation(draft, found, shown, record, provenance("evaluate", settings, inputs))
    for split, facts in told.items():
        _log(slide, split, facts)


def _chosen(
    slide: str, table: pd.DataFrame, splits: Path, settings: EvaluateSettings
) -> pd.DataFrame:
    """Return the rows of the patches to predict, with their split."""
    known, _ = read_splits(splits)
    known = known[known.slide == slide]
    problem = misfit(known, table.assign(slide=slide))
    if problem:
        raise InputError(
            f"{splits}: expected the patches of slide {slide}, found {problem}; run collect again"
        )
    known = known.set_index("patch_id").loc[table.patch_id]
    split = known.split.astype(object).where(known.split.notna(), None).to_numpy()
    wanted = np.isin(split.astype(str), settings.splits)
    if not settings.splits:
        wanted = (known.reason != REGISTRATION).to_numpy()
    wanted &= table.complete.to_numpy()
    words = " and ".join(settings.splits) or "well registered slides"
    logger.info("%s: kept %d of %d patches: those of %s", slide, wanted.sum(), len(table), words)
    return table.assign(split=split)[wanted].reset_index(drop=True)


def _log_classes(path: Path, classes: ModelClasses) -> None:
    n, grouping = classes.n_classes, classes.grouping.name
    logger.info("%s: knows %d of the %d classes of %s", path, classes.n_known, n, grouping)
    if classes.strangers:
        words = ", ".join(classes.strangers)
        logger.warning("%s: %s: no such class in %s; it never agrees", path, words, grouping)
    if classes.unknown:
        words = ", ".join(classes.unknown)
        logger.warning("%s: has no %s: their nuclei never agree", path, words)


def _predictor(network: Checkpoint, settings: EvaluateSettings, side_px: int) -> Predictor:
    from sthelar_build.adapters.cellvit.predictor import Predictor

    how = settings.device, settings.precision
    size = settings.batch_size
    return Predictor(network, *how, want_tissue=False, side_px=side_px, batch_size=size)


def _magnification(network: Checkpoint, settings: EvaluateSettings, um_per_px: float) -> int:
    wanted = settings.magnification
    magnification = nearest_magnification(um_per_px) if wanted == "auto" else int(wanted)
    if network.magnification != magnification:
        logger.warning(
            "%s: trained at %dx, used at %dx (%.3f um per px): expect worse; set evaluate.scale to the scale of the training",
            network.path,
            network.magnification,
            magnification,
            um_per_px,
        )
    return magnification


def _network_facts(network: Checkpoint) -> dict[str, Any]:
    from sthelar_build.adapters.cellvit.slide_nuclei import network_facts

    ours = network.config.get("sthelar") or {}
    facts = network_facts(network)
    return {"file": network.path.name, **facts, "provenance": ours.get("provenance")}


def _log(slide: str, split: str, facts: dict[str, Any]) -> None:
    n_patches, n_nuclei = facts["n_patches"], facts["n_nuclei"]
    words = ", ".join(
        f"{name.replace('_', ' ')} {value:.3f}"
        for name, value in facts["scores"].items()
        if value is not None
    )
    logger.info("%s, %s: %d patches, %d nuclei: %s", slide, split, n_patches, n_nuclei, words)
