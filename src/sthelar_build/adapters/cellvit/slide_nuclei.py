"""The nuclei of a slide by a network: reading, network and post-processing of different patches at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from sthelar_build.adapters.cellvit.checkpoint import Checkpoint
from sthelar_build.adapters.cellvit.predictor import NetworkMaps, Predictor
from sthelar_build.core.hv_nuclei import hv_nuclei
from sthelar_build.core.predicted_maps import PredictedNuclei, PredictedPatch, with_unassigned
from sthelar_build.io.he_blocks import Block
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.stopwatch import Stopwatch
from sthelar_build.io.workers import map_threads

Kept = TypeVar("Kept")


def network_facts(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what a manifest says of the network."""
    return {
        "arch": checkpoint.arch,
        "sha256": checkpoint.sha256,
        "magnification": checkpoint.magnification,
        "nuclei_types": checkpoint.nuclei_types,
        "tissue_types": checkpoint.tissue_types,
    }


def network_nuclei(
    he: HeImage,
    side_px: int,
    predictor: Predictor,
    magnification: int,
    threads: int,
    clock: Stopwatch,
    blocks: Iterable[Block],
    keep: Callable[[Block, list[PredictedPatch]], Kept],
) -> Iterator[Kept]:
    """Yield ``keep(block, predicted patches)`` for every block, in order.

    On a GPU the calling thread runs the network, while ``threads`` others read ahead and as many separate the nuclei of
    what it has done. On a CPU each of ``threads`` takes a block from end to end: one network over several cores waits for its
    slowest at every layer. Either way few blocks are in memory, and a block passes the network by itself, on the CPU on one core,
    so that its result depends neither on the others nor on the number of threads.
    """

    def read(block: Block) -> tuple[Block, NDArray[np.uint8]]:
        with clock("reading"):
            return block, block.images(he, side_px)

    def infer(pair: tuple[Block, NDArray[np.uint8]]) -> tuple[Block, NetworkMaps]:
        with clock("network"):
            return pair[0], predictor(pair[1])

    def finish(pair: tuple[Block, NetworkMaps]) -> Kept:
        block, maps = pair
        with clock("separating"):
            found = [
                predicted_patch(int(row.patch_id), maps, place, magnification)
                for place, row in enumerate(block.rows)
            ]
        return keep(block, found)

    def from_end_to_end(block: Block) -> Kept:
        torch.set_num_threads(1)
        return finish(infer(read(block)))

    if predictor.device.type == "cpu":
        return map_threads(from_end_to_end, blocks, threads)
    return map_threads(finish, map(infer, map_threads(read, blocks, threads)), threads)


def predicted_patch(
    patch_id: int, maps: NetworkMaps, place: int, magnification: int
) -> PredictedPatch:
    """Separate the nuclei of the image number ``place`` of a batch."""
    nucleus = maps.nucleus[place]
    types: NDArray[Any] = nucleus if maps.types is None else maps.types[place]
    found = hv_nuclei(nucleus, maps.hv[place], types, magnification)
    nuclei = PredictedNuclei(
        found.ids.astype(np.uint32),
        found.bbox.astype(np.uint16),
        # Means of pixel numbers, as CellViT writes them; our pixels are squares with a centre at one half.
        (found.centroid_px + 0.5).astype(np.float32),
        found.type_index.astype(np.uint8),
        found.type_prob.astype(np.float32),
    )
    return PredictedPatch(patch_id, with_unassigned(found.instances, nucleus), nuclei)
