"""Drawing and tiling with public packages; run by the interpreter of ``.venv-peers``, without anything of this project.

``python public_peers.py rasterise SHAPES.npz OUT.npz SIDE_PX`` and ``python public_peers.py tile OUT.npz WIDTH_PX HEIGHT_PX SIDE_PX OVERLAP_PX``.
The seconds that are printed are those of the processor, after everything is loaded.
"""

from __future__ import annotations

import sys
import time

import numpy as np


def rasterise(shapes: str, out: str, side_px: str) -> None:
    """Draw polygons as labels with spatialdata.rasterize, one pixel per unit."""
    import geopandas
    import shapely
    from spatialdata import rasterize
    from spatialdata.models import ShapesModel

    with np.load(shapes) as given:
        polygons = shapely.polygons(given["rings"])
    elements = ShapesModel.parse(geopandas.GeoDataFrame(geometry=polygons))
    side = float(side_px)

    def draw() -> np.ndarray:
        drawn = rasterize(
            elements,
            ["x", "y"],
            min_coordinate=[0.0, 0.0],
            max_coordinate=[side, side],
            target_coordinate_system="global",
            target_unit_to_pixels=1.0,
            return_regions_as_labels=True,
        )
        return np.asarray(drawn.data)

    draw()
    start = time.process_time()
    labels = draw()
    print(time.process_time() - start)
    np.savez(out, labels=labels)


def tile(out: str, width_px: str, height_px: str, side_px: str, overlap_px: str) -> None:
    """Lay patches over an image with sopa."""
    import dask.array as da
    from sopa import make_image_patches
    from spatialdata import SpatialData
    from spatialdata.models import Image2DModel

    pixels = da.zeros((1, int(height_px), int(width_px)), chunks=(1, 4096, 4096), dtype=np.uint8)
    sdata = SpatialData(images={"he": Image2DModel.parse(pixels, dims=("c", "y", "x"))})
    start = time.process_time()
    make_image_patches(sdata, patch_width=int(side_px), patch_overlap=int(overlap_px))
    print(time.process_time() - start)
    np.savez(out, bounds=sdata["image_patches"].geometry.bounds.to_numpy())


if __name__ == "__main__":
    {"rasterise": rasterise, "tile": tile}[sys.argv[1]](*sys.argv[2:])
