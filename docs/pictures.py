"""Write the pictures of README and docs from a finished toy run: ``python docs/pictures.py results``.

That of spatialdata-plot is made by the code that ``loading.md`` shows, if the package is there.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from sthelar_build.core.overlay import draw_overlay
from sthelar_build.io.images.he import open_he
from sthelar_build.io.masks import open_masks
from sthelar_build.schema.labels import CLASSES

IMAGES = Path(__file__).parent / "images"
COPIED = {
    "class_map.png": "toy_breast/refine/class_map.png",
    "umap.png": "toy_breast/refine/umap_classes.png",
    "overlay.png": "toy_breast/registration/overlay.png",
}
COLUMNS, SIDE_PX, GAP_PX = 3, 256, 6
WIDEST_PX = 1100


def montage(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return square pictures side by side, a few to a row, on white."""
    rows = -(-len(pictures) // COLUMNS)
    step = SIDE_PX + GAP_PX
    page = np.full((rows * step - GAP_PX, COLUMNS * step - GAP_PX, 3), 255, dtype=np.uint8)
    for number, picture in enumerate(pictures):
        y, x = (number // COLUMNS) * step, (number % COLUMNS) * step
        page[y : y + SIDE_PX, x : x + SIDE_PX] = picture
    return page


def varied_patches(results: Path, slide: str, n: int) -> list[int]:
    """Return the patches that hold the most classes, none beside another."""
    instances = open_masks(results / slide / "masks_40x").table
    classes = instances.groupby("patch_id")["class_index"].agg(["nunique", "size"])
    patches = pd.read_parquet(results / slide / "patches_40x.parquet").set_index("patch_id")
    chosen: list[int] = []
    for patch_id in classes.sort_values(["nunique", "size"], ascending=False).index:
        place = patches.loc[patch_id, ["grid_row", "grid_column"]].to_numpy(dtype=int)
        others = patches.loc[chosen, ["grid_row", "grid_column"]].to_numpy(dtype=int)
        if not len(others) or np.abs(others - place).max(axis=1).min() > 2:
            chosen.append(int(patch_id))
        if len(chosen) == n:
            break
    return chosen


def drawn_patches(results: Path, slide: str, n: int) -> list[NDArray[np.uint8]]:
    """Return patches of a slide with their nuclei outlined by class."""
    masks = open_masks(results / slide / "masks_40x")
    patches = pd.read_parquet(results / slide / "patches_40x.parquet").set_index("patch_id")
    colour_of = {c.index: c.colour for c in CLASSES}
    pictures = []
    with open_he(results.parent / f"resources/toy/{slide}/he_image.ome.tif") as he:
        for patch_id in varied_patches(results, slide, n):
            corner = patches.loc[patch_id]
            image = he.read_area(corner.x_he_px, corner.y_he_px, corner.side_he_px, SIDE_PX)
            rows = masks.table[masks.table.patch_id == patch_id]
            colours = {
                int(nucleus): colour_of[int(index)]
                for nucleus, index in zip(rows.nucleus_id, rows.class_index, strict=True)
            }
            pictures.append(draw_overlay(image, masks.instances(patch_id), colours))
    return pictures


def plotted(results: Path) -> Image.Image | None:
    """Return the picture that the example of spatialdata-plot in ``loading.md`` draws; None without the package."""
    if importlib.util.find_spec("spatialdata_plot") is None:
        return None
    page = (Path(__file__).parent / "loading.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"needs: spatialdata_plot -->\n```python\n(.*?)```", page, re.DOTALL)
    os.environ["MPLBACKEND"] = "agg"
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("results").symlink_to(results)
        exec(compile(code, "loading.md", "exec"), {})
        with Image.open("toy_breast.png") as picture:
            return picture.convert("RGB")


def main(results: Path) -> None:
    """Write every picture."""
    IMAGES.mkdir(exist_ok=True)
    for name, source in COPIED.items():
        with Image.open(results / source) as picture:
            picture.thumbnail((WIDEST_PX, WIDEST_PX))
            picture.convert("RGB").save(IMAGES / name, optimize=True)
    pictures = drawn_patches(results, "toy_breast", 3) + drawn_patches(results, "toy_skin", 3)
    Image.fromarray(montage(pictures)).save(IMAGES / "patches.png", optimize=True)
    plot = plotted(results.resolve())
    if plot is not None:
        # A palette would blur the colours of the classes.
        plot.save(IMAGES / "spatialdata_plot.jpg", quality=88, subsampling=0, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
