"""Patches per second of the rasteriser against a plain loop over patches with shapely and scikit-image.

Both draw the same nuclei into the same patches; the loop does what such scripts do: an R-tree query per patch, a clip per
nucleus, ``skimage.draw.polygon`` on its exterior. Both run on one core, side by side; what counts is the time of the
processor, so that other work on the machine does not matter.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import shapely
from figures import Figure, add_figures, add_json
from skimage.draw import polygon as polygon_pixels

from sthelar_build.core.strips import Nuclei, draw_strip
from sthelar_build.schema.frames import Affine, Frame

SIDE_PX, STRIDE_PX, MIN_VISIBLE_PX = 256, 192, 10


def main() -> None:
    arguments = _arguments()
    nuclei = _nuclei(arguments.nuclei_per_patch, arguments.columns, arguments.seed)
    ids = np.arange(1, len(nuclei) + 1, dtype=np.uint32)
    ready = Nuclei.of(
        [nuclei], ids, np.ones(len(ids), np.uint8), Affine(np.eye(3), Frame.UM, Frame.HE), 1.0
    )
    ours, theirs = [], []
    for _ in range(arguments.repeats):
        start = time.process_time()
        draw_strip(ready, np.arange(arguments.columns) * STRIDE_PX, 0, SIDE_PX, MIN_VISIBLE_PX)
        between = time.process_time()
        _plain_loop(nuclei, ids, arguments.columns)
        ours.append(arguments.columns / (between - start))
        theirs.append(arguments.columns / (time.process_time() - between))
    fast, slow = max(ours), max(theirs)
    print(f"{len(nuclei)} nuclei, {arguments.columns} patches, best of {arguments.repeats}")
    print(f"sthelar_build  {fast:8.0f} patches/s")
    print(f"plain loop     {slow:8.0f} patches/s")
    print(f"ratio          {fast / slow:8.1f}")
    size = f"{len(nuclei)} nuclei, {arguments.columns} patches"
    figure = Figure(
        "rasterise", size, "CPU s per patch", 1 / fast, 1 / slow, "loop of shapely, skimage"
    )
    add_figures(arguments.json, [figure])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=128, help="patches in the row (128)")
    parser.add_argument("--nuclei-per-patch", type=int, default=40, help="mean number (40)")
    parser.add_argument("--repeats", type=int, default=3, help="the best counts (3)")
    parser.add_argument("--seed", type=int, default=0)
    add_json(parser)
    return parser.parse_args()


def _nuclei(per_patch: int, columns: int, seed: int) -> np.ndarray:
    """Return ellipses of 24 vertices and about 24 px across, as a bundle has them at 0.25 um/px."""
    rng = np.random.default_rng(seed)
    width_px = columns * STRIDE_PX + SIDE_PX - STRIDE_PX
    n = per_patch * width_px // SIDE_PX
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radii = rng.uniform(8, 16, (2, n, 1))
    ring = np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], axis=-1)
    return np.asarray(shapely.polygons(ring + rng.uniform(0, [width_px, SIDE_PX], (n, 1, 2))))


def _plain_loop(nuclei: np.ndarray, ids: np.ndarray, columns: int) -> None:
    tree = shapely.STRtree(nuclei)
    for column in range(columns):
        left = column * STRIDE_PX
        patch = shapely.box(left, 0, left + SIDE_PX, SIDE_PX)
        mask = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint32)
        for number in tree.query(patch):
            visible = nuclei[number].intersection(patch)
            if visible.geom_type != "Polygon" or visible.is_empty:
                continue
            x, y = visible.exterior.xy
            rows, cols = polygon_pixels(np.array(y), np.array(x) - left, mask.shape)
            mask[rows, cols] = ids[number]
        np.unique(mask, return_counts=True)


if __name__ == "__main__":
    main()
