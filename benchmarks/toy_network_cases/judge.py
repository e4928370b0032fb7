"""What a network and the classical method find on the slides of a finished run: same patches, same masks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.core.agreement import Agreement, agreement
from sthelar_build.core.haematoxylin import NucleusRule, find_nuclei
from sthelar_build.core.hv_nuclei import hv_nuclei
from sthelar_build.core.magnification import nearest_magnification
from sthelar_build.core.stain import haematoxylin
from sthelar_build.core.voted_maps import typed_instances
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.stained_nuclei import slide_threshold
from sthelar_build.io.tables import read_attributes
from sthelar_build.io.workers import batches
from sthelar_build.settings.segment import SegmentSettings

_BATCH = 16

Images = NDArray[np.uint8]
Found = list[tuple[NDArray[Any], NDArray[Any]]]
"""Of every image the instances that count for bPQ, and the foreground that counts for Dice."""


class Result(NamedTuple):
    """Means over the patches that hold nuclei."""

    dice: float
    bpq: float
    ms_per_patch: float
    """Of one core, without the reading of the image."""


class Verdict(NamedTuple):
    """A slide at one scale."""

    slide: str
    scale: str
    um_per_px: float
    n_patches: int
    network: Result
    classical: Result


def judge(root: Path, predictor: Predictor) -> Iterator[Verdict]:
    """Yield a verdict for every toy slide and scale of a run."""
    for path in sorted(root.glob("results/*/patches_*.parquet")):
        yield _verdict(root, path.parent.name, path, predictor)


def _verdict(root: Path, slide: str, path: Path, predictor: Predictor) -> Verdict:
    scale = path.stem.removeprefix("patches_")
    grid, patches = read_attributes(path), pd.read_parquet(path)
    masks = zarr.open_array(path.with_name(f"masks_{scale}") / "instances.zarr", mode="r")
    patches = patches[patches.complete]
    truth = {i: masks[divmod(i, grid["columns"])] for i in patches.patch_id.tolist()}
    held = patches[[truth[i].any() for i in patches.patch_id]]
    um_per_px = float(grid["um_per_px"])
    with open_he(root / "resources" / "toy" / slide / "he_image.ome.tif") as image:
        methods = (
            _network(predictor, um_per_px),
            _classical(image, patches, grid["side_px"], um_per_px),
        )
        results = [_result(method, image, held, grid["side_px"], truth) for method in methods]
    return Verdict(slide, scale, um_per_px, len(held), *results)


def _network(predictor: Predictor, um_per_px: float) -> Callable[[Images], Found]:
    magnification = nearest_magnification(um_per_px)

    def find(images: Images) -> Found:
        maps = predictor(images)
        nuclei = [
            hv_nuclei(*one, magnification)
            for one in zip(maps.nucleus, maps.hv, maps.types, strict=True)
        ]
        typed = [typed_instances(one.instances, one.ids, one.type_index) for one in nuclei]
        return list(zip(typed, maps.nucleus, strict=True))

    return find


def _classical(
    image: HeImage, patches: pd.DataFrame, side_px: int, um_per_px: float
) -> Callable[[Images], Found]:
    settings = SegmentSettings(method="haematoxylin")
    rule = settings.part(NucleusRule)
    threshold = slide_threshold(image, patches, side_px, um_per_px, rule, settings.sample_patches)

    def find(images: Images) -> Found:
        maps = [find_nuclei(haematoxylin(one), um_per_px, threshold, rule) for one in images]
        return [(one, one) for one in maps]

    return find


def _result(
    find: Callable[[Images], Found],
    image: HeImage,
    patches: pd.DataFrame,
    side_px: int,
    truth: dict[int, NDArray[Any]],
) -> Result:
    scores: list[Agreement] = []
    seconds = 0.0
    for part in batches(patches.itertuples(index=False), _BATCH):
        images = np.stack(
            [image.read_area(one.x_he_px, one.y_he_px, one.side_he_px, side_px) for one in part]
        )
        start = time.process_time()
        found = find(images)
        seconds += time.process_time() - start
        scores += [
            agreement(truth[one.patch_id], *maps) for one, maps in zip(part, found, strict=True)
        ]
    return Result(
        float(np.mean([one.dice for one in scores])),
        float(np.nanmean([one.bpq for one in scores])),
        1e3 * seconds / max(len(scores), 1),
    )
