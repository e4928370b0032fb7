"""Image models at work on the nuclei of a slide: CellViT's tokens, those of another encoder, or squares around them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.adapters.cellvit.slide_nuclei import network_facts
from sthelar_build.adapters.image_features import ImageEncoder
from sthelar_build.core.token_features import NucleusSums
from sthelar_build.io.nucleus_crops import Crops, crop_features
from sthelar_build.io.slide_nuclei import SlideNuclei
from sthelar_build.io.token_stream import Encoder, Looks, nucleus_sums
from sthelar_build.settings.embed import CellvitFeatures, EmbedSettings, TransformersFeatures

Model = CellvitFeatures | TransformersFeatures


@dataclass(frozen=True)
class Embedding:
    """A model that is ready to go."""

    dim: int
    seen: NDArray[np.bool_]
    """(n,): the nuclei that it sees."""
    found: Iterator[NucleusSums]
    """What it makes of these, each of them once; it works while this is gone through."""
    types: dict[str, int] = field(default_factory=dict)
    """Types that it tells apart, by name."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What is to be told of it."""


def embedding_of(
    slide: SlideNuclei, model: Model, settings: EmbedSettings, source: Path, threads: int
) -> Embedding:
    """Open the model in ``source``; on a CPU it runs once in each of our threads, elsewhere once."""
    if isinstance(model, CellvitFeatures):
        return _by_cellvit(slide, model, settings, source, threads)
    encoder = ImageEncoder(source, settings.device, settings.precision, settings.batch_size)
    if model.view == "patch":
        look = Encoder(lambda images: Looks(encoder.tokens(images)), encoder.side_px)
        return Embedding(encoder.dim, slide.drawn, _in_patches(slide, look, model, threads))
    side_um = settings.crop_um or slide.masks.side_px * slide.um_per_px
    seen = slide.on_image
    side_he_px = side_um * slide.um_to_he.scale
    crops = Crops(slide.ids[seen], slide.centres_he_px[seen], side_he_px)
    features_of = partial(encoder.features, pooling=model.pooling)
    found = crop_features(slide.he, crops, encoder.side_px, features_of, threads)
    return Embedding(encoder.dim, seen, found, facts={"crop_um": side_um})


def _by_cellvit(
    slide: SlideNuclei, model: CellvitFeatures, settings: EmbedSettings, source: Path, threads: int
) -> Embedding:
    checkpoint = open_checkpoint(source, model.trust_checkpoint)
    side_px = slide.masks.side_px
    predictor = Predictor(
        checkpoint,
        settings.device,
        settings.precision,
        want_tokens=True,
        want_tissue=False,
        side_px=side_px,
        batch_size=settings.batch_size,
    )
    turn = nullcontext() if predictor.device.type == "cpu" else threading.Lock()

    def look(images: NDArray[np.uint8]) -> Looks:
        with turn:
            maps = predictor(images)
        assert maps.tokens is not None
        return Looks(maps.tokens, maps.types)

    encoder = Encoder(look, side_px, checkpoint.architecture.n_nuclei)
    return Embedding(
        checkpoint.architecture.embed_dim,
        slide.drawn,
        _in_patches(slide, encoder, model, threads),
        checkpoint.nuclei_types,
        {"network": network_facts(checkpoint)},
    )


def _in_patches(
    slide: SlideNuclei, encoder: Encoder, model: Model, threads: int
) -> Iterator[NucleusSums]:
    return nucleus_sums(
        slide.he, slide.masks, slide.appearances, slide.patches, encoder, model.rule, threads
    )
