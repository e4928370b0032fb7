"""Cellpose on simulated DAPI images: train a small network on one slide, find the nuclei of another, compare with the truth.

Needs the package: ``pip install "sthelar_build[segment]"``. Weights are made here, as none are shipped or downloaded.

``python benchmarks/resegment.py --out /tmp/resegment --epochs 40``
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix

from sthelar_build.core.raster import instance_map
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM
from sthelar_build.io.images.morphology import open_morphology
from sthelar_build.io.xenium.bundle import open_bundle
from sthelar_build.settings.resegment import ResegmentSettings
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.stages import resegment, simulate

TRAINING_SEED, SEED = 101, 102
SIDE_UM = 220
LEAST_IOU = 0.5
PATCH_PX = 256


def slide(folder: Path, seed: int) -> Path:
    """Return the folder of a simulated slide, made if it is not there."""
    if not (folder / "truth/truth.json").exists():
        recipe = SimulateSettings(seed=seed, width_um=SIDE_UM, height_um=SIDE_UM)
        simulate.run(slide="trial", out=folder, settings=recipe)
    return folder


def truth(folder: Path) -> NDArray[np.object_]:
    """Return the true nuclei, in um."""
    return np.asarray(geopandas.read_parquet(folder / "truth/nuclei.parquet").geometry)


def train(folder: Path, path: Path, epochs: int) -> Path:
    """Train a network of Cellpose on windows of a slide and save it."""
    if path.exists():
        return path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cellpose import models
        from cellpose import train as training

        with open_morphology(open_bundle(folder / "xenium").morphology) as image:
            grey = image.read(0, 0, image.width_px, image.height_px)
        low, high = np.percentile(grey, (1, 99.5))
        shapes = shapely.transform(truth(folder), lambda xy: xy / PIXEL_SIZE_UM)
        labels = instance_map(shapes, np.arange(1, len(shapes) + 1), grey.shape).astype(np.int32)
        corners = [
            (slice(y, y + PATCH_PX), slice(x, x + PATCH_PX))
            for y in range(0, grey.shape[0] - PATCH_PX + 1, PATCH_PX)
            for x in range(0, grey.shape[1] - PATCH_PX + 1, PATCH_PX)
        ]
        model = models.CellposeModel(gpu=False, pretrained_model=None, diam_mean=17.0)
        training.train_seg(
            model.net,
            train_data=[(grey[c] - low) / (high - low) for c in corners],
            train_labels=[labels[c] for c in corners],
            channels=[0, 0],
            normalize=False,
            SGD=False,
            learning_rate=0.002,
            n_epochs=epochs,
            batch_size=4,
            min_train_masks=3,
        )
        model.net.save_model(str(path))
    return path


def detection(found: NDArray[np.object_], true: NDArray[np.object_]) -> dict[str, Any]:
    """Return precision, recall and F1 of nuclei that match one to one with an IoU above a half."""
    one, two = shapely.STRtree(true).query(found, predicate="intersects")
    shared = shapely.area(shapely.intersection(found[one], true[two]))
    iou = shared / (shapely.area(found[one]) + shapely.area(true[two]) - shared)
    overlap = coo_matrix((iou, (one, two)), shape=(len(found), len(true))).toarray()
    rows, columns = linear_sum_assignment(np.where(overlap > LEAST_IOU, -overlap, 0))
    matched = overlap[rows, columns]
    matched = matched[matched > LEAST_IOU]
    precision, recall = len(matched) / max(len(found), 1), len(matched) / len(true)
    return {
        "found": len(found),
        "true": len(true),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * len(matched) / (len(found) + len(true)), 3),
        "mean_iou": round(float(matched.mean()), 3) if len(matched) else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--tiles", type=int, nargs="+", default=[4096, 512, 300])
    arguments = parser.parse_args()
    start = time.perf_counter()
    seen, new = (slide(arguments.out / f"slide_{seed}", seed) for seed in (TRAINING_SEED, SEED))
    network = train(seen, arguments.out / "network", arguments.epochs)
    print(f"slides and network: {time.perf_counter() - start:.0f} s")
    before = None
    for tile_px in arguments.tiles:
        start = time.perf_counter()
        path = arguments.out / f"resegmented_{tile_px}.parquet"
        settings = ResegmentSettings(source="cellpose", model=str(network), tile_px=tile_px)
        resegment.run(new / "xenium", path, settings, model=network, threads=1)
        found = np.asarray(geopandas.read_parquet(path).geometry)
        print(
            f"tiles of {tile_px} px, {time.perf_counter() - start:.0f} s:",
            detection(found, truth(new)),
        )
        if before is not None:
            print("  against the largest tiles:", detection(found, before))
        before = found if before is None else before


if __name__ == "__main__":
    main()
