"""Drawing nuclei against spatialdata.rasterize, and laying patches against sopa; needs ``make .venv-peers``.

Drawing: separate nuclei on a square, ours patch by patch as for a dataset, theirs as one label image with a pixel per unit; the share of
equal pixels is given. Neither loads or compiles anything while the clock runs. Laying: the grid over an image, with the table of its patches;
ours drops no patch at the border and neither do they. What counts is the time of the processor.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely
from figures import Figure, add_figures, add_json
from measured import run_measured
from peers import PYTHON, has, why_not

from sthelar_build.core.strips import Nuclei, draw_strip
from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.schema.frames import Affine, Frame

SIDE_PX, OVERLAP_PX, PITCH_PX = 256, 64, 34
PEER = Path(__file__).parent / "public_peers.py"


def main() -> None:
    arguments = _arguments()
    if not has("spatialdata", "sopa"):
        print(why_not("spatialdata", "sopa"))
        return
    print("what       size                       ours s   theirs s    ratio  agreement")
    with tempfile.TemporaryDirectory() as folder:
        for side_px in arguments.drawn:
            _show(arguments.json, _drawing(Path(folder), side_px))
        for side_px in arguments.tiled:
            _show(arguments.json, _tiling(Path(folder), side_px))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawn", type=int, nargs="*", default=[2048, 4096, 8192])
    parser.add_argument("--tiled", type=int, nargs="*", default=[8192, 16_384, 49_152])
    add_json(parser)
    return parser.parse_args()


def _show(path: Path | None, figure: Figure) -> None:
    print(
        f"{figure.measure:10s} {figure.size:24s} {figure.ours:8.4f} {figure.theirs:10.4f} {figure.ratio:8.1f}  {figure.note}",
        flush=True,
    )
    add_figures(path, [figure])


def _drawing(folder: Path, side_px: int) -> Figure:
    rings = _rings(side_px)
    polygons = shapely.polygons(rings)
    np.savez(folder / "shapes.npz", rings=rings)
    ids = np.arange(1, len(polygons) + 1, dtype=np.uint32)
    frame = Affine(np.eye(3), Frame.UM, Frame.HE)

    def draw() -> np.ndarray:
        ready = Nuclei.of([polygons], ids, np.ones(len(ids), np.uint8), frame, 1.0)
        lefts = np.arange(0, side_px, SIDE_PX)
        rows = [draw_strip(ready, lefts, top, SIDE_PX, 1)[0] for top in lefts.tolist()]
        return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])

    draw()
    seconds, ours = _timed(draw)
    theirs = float(_peer("rasterise", folder / "shapes.npz", folder / "labels.npz", side_px))
    with np.load(folder / "labels.npz") as found:
        labels = found["labels"].astype(np.int64)
    numbers = np.append(0, np.arange(1, len(polygons) + 2))
    equal = float((numbers[labels] == ours).mean())
    note = f"{equal:.3%} of the pixels equal"
    size = f"{len(polygons)} nuclei, {side_px} px"
    return Figure("rasterise", size, "CPU s", seconds, theirs, "spatialdata", note=note)


def _rings(side_px: int) -> np.ndarray:
    """Return (n, 24, 2) ellipses that do not meet."""
    rng = np.random.default_rng(0)
    places = np.arange(PITCH_PX / 2, side_px - PITCH_PX / 2, PITCH_PX)
    centres = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 1, 2)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radii = rng.uniform(8, 15, (2, len(centres), 1))
    ring = np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], axis=-1)
    return np.asarray(ring + centres)


def _tiling(folder: Path, side_px: int) -> Figure:
    seconds, ours = _timed(
        lambda: patch_table(patch_grid(side_px, side_px, 1.0, SIDE_PX, OVERLAP_PX))
    )
    out = folder / "grid.npz"
    theirs = float(_peer("tile", out, side_px, side_px, SIDE_PX, OVERLAP_PX))
    with np.load(out) as found:
        bounds = found["bounds"]
    corners = set(zip(ours["x_px"], ours["y_px"], strict=True))
    shared = len(corners.intersection(map(tuple, bounds[:, :2].astype(int).tolist())))
    note = f"{len(ours)} patches, sopa {len(bounds)}, {shared} at the same place"
    size = f"{side_px} px square"
    return Figure("tile", size, "CPU s", seconds, theirs, "sopa", note=note)


def _timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def _peer(*words: object) -> str:
    used = run_measured([str(PYTHON), str(PEER), *map(str, words)], {"PYTHONPATH": ""})
    if used.status:
        raise RuntimeError(used.output)
    return used.output.split()[-1]


if __name__ == "__main__":
    main()
