"""The ways to find nuclei in patches: a network, the stain, or the maps that someone else has predicted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sthelar_build.core.haematoxylin import NucleusRule
from sthelar_build.core.magnification import nearest_magnification
from sthelar_build.core.predicted_maps import PredictedPatch
from sthelar_build.errors import ConfigError
from sthelar_build.io.he_blocks import Block
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.prediction_rows import WrittenBlock
from sthelar_build.io.predictions import CELLVIT, HAEMATOXYLIN, SUPPLIED
from sthelar_build.io.stained_nuclei import StainedNuclei, slide_threshold
from sthelar_build.io.stopwatch import Stopwatch
from sthelar_build.io.supplied_maps import SuppliedMaps, open_supplied_maps
from sthelar_build.io.workers import map_threads
from sthelar_build.schema.words import NO_TISSUE, NOT_RUN, OUTSIDE
from sthelar_build.settings.segment import SegmentSettings

logger = logging.getLogger(__name__)

_CACHE_BYTES = 3 * 2**27
"""Decoded tiles that are kept: two rows of those of 1024 px of the widest slides."""
AUTO = "auto"
_NO_NETWORK = {"magnification": None, "network": None}

Keep = Callable[[Block, list[PredictedPatch]], WrittenBlock]


@dataclass(frozen=True)
class Job:
    """What every method needs to know."""

    table: pd.DataFrame
    """PATCHES, the whole grid."""
    side_px: int
    um_per_px: float
    settings: SegmentSettings
    threads: int
    clock: Stopwatch

    def reasons(self, segmented: pd.Series, otherwise: str) -> pd.Series:
        """Return by patch id why it is not segmented: it overruns the image, or ``otherwise``; None if it is."""
        reason = np.full(len(self.table), None, dtype=object)
        reason[~segmented.to_numpy(np.bool_)] = otherwise
        reason[~self.table["complete"].to_numpy(np.bool_)] = OUTSIDE
        return pd.Series(reason, index=self.table["patch_id"])

    def on_tissue(self) -> pd.Series:
        """Return the same for methods that look at the image."""
        return self.reasons(self.table.tissue_fraction > self.settings.min_tissue, NO_TISSUE)


@dataclass(frozen=True)
class Method:
    """A way to find nuclei, ready to go."""

    name: str
    reasons: pd.Series
    """By patch id: why it is not segmented; None if it is."""
    each: Callable[[Iterable[Block], Keep], Iterator[WrittenBlock]]
    """Takes blocks, and what to do with those that are found."""
    facts: dict[str, Any]
    """``magnification``, ``network`` of the manifest; null where there is none."""
    predictor: Any = None
    """The network on its device, if there is one: ``device``, ``precision``, ``batch_size``."""


@contextmanager
def open_method(
    job: Job, he: Path, checkpoint: Path | None, supplied: Path | None, slide: str
) -> Iterator[Method]:
    """Open supplied maps where there are any, else the H&E and what the settings say."""
    if supplied:
        with open_supplied_maps(supplied, slide, job.side_px, len(job.table)) as maps:
            yield _taking_over(job, supplied, maps)
        return
    with open_he(he, _CACHE_BYTES) as image:
        if _network_wanted(job.settings, checkpoint):
            yield _with_network(job, image, checkpoint)
        else:
            yield _by_stain(job, image)


def _network_wanted(settings: SegmentSettings, given: Path | None) -> bool:
    """Tell whether a network segments: one is given, or the settings name one that then must be given too."""
    # One for each scale, by its name: whoever calls the stage knows which, if any, is that of the patches.
    named = isinstance(settings.checkpoint, str) and settings.checkpoint
    return settings.method == CELLVIT or (settings.method == AUTO and bool(given or named))


def _taking_over(job: Job, path: Path, maps: SuppliedMaps) -> Method:
    given = job.table.patch_id.isin(maps.patch_ids)
    logger.info(
        "%s: kept %d of %d maps: the others are of patches that overrun the image",
        path,
        (given & job.table.complete).sum(),
        len(maps.patch_ids),
    )
    each = partial(_each, maps.find, job.threads)
    return Method(SUPPLIED, job.reasons(given, NOT_RUN), each, _NO_NETWORK)


def _by_stain(job: Job, image: HeImage) -> Method:
    rule, size = job.settings.part(NucleusRule), (job.side_px, job.um_per_px)
    complete = job.table[job.table.complete]
    threshold = slide_threshold(image, complete, *size, rule, job.settings.sample_patches)
    nuclei = StainedNuclei(image, *size, threshold, rule, job.clock)
    each = partial(_each, nuclei.find, job.threads)
    return Method(HAEMATOXYLIN, job.on_tissue(), each, _NO_NETWORK)


def _each(
    find: Callable[[Block], list[PredictedPatch]], threads: int, todo: Iterable[Block], keep: Keep
) -> Iterator[WrittenBlock]:
    return map_threads(lambda block: keep(block, find(block)), todo, threads)


def _with_network(job: Job, image: HeImage, path: Path | None) -> Method:
    from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
    from sthelar_build.adapters.cellvit.predictor import Predictor
    from sthelar_build.adapters.cellvit.slide_nuclei import network_facts, network_nuclei

    if path is None:
        raise ConfigError(
            "--checkpoint: expected the file of a network, as segment.checkpoint or method asks for one, found none; name it"
        )
    settings = job.settings
    checkpoint = open_checkpoint(path, settings.trust_checkpoint)
    magnification = _magnification(job, path, checkpoint.magnification)
    predictor = Predictor(
        checkpoint,
        settings.device,
        settings.precision,
        want_tissue=False,
        side_px=job.side_px,
        batch_size=settings.batch_size,
    )
    if settings.batch_size is None and predictor.device.type == "cpu":
        # Every core has a patch of its own: more at a time need more memory and are no faster.
        predictor.batch_size = 1
    stream = image, job.side_px, predictor, magnification, job.threads, job.clock
    facts = {"magnification": magnification, "network": network_facts(checkpoint)}
    return Method(CELLVIT, job.on_tissue(), partial(network_nuclei, *stream), facts, predictor)


def _magnification(job: Job, path: Path, trained: int) -> int:
    wanted = job.settings.magnification
    used = nearest_magnification(job.um_per_px) if wanted == "auto" else int(wanted)
    if used != trained:
        logger.warning(
            "%s: trained at %dx, used at %dx (%.3f um per px): expect worse; name a checkpoint of that magnification "
            "for this scale",
            path,
            trained,
            used,
            job.um_per_px,
        )
    return used
