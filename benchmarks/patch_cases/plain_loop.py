"""What such scripts do, patch by patch.

An R-tree query, a clip and a polygon per nucleus, a mask with a channel per class, PNG by Pillow, and the arrays by numpy and
scipy. The image stands in memory already.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import scipy.sparse
import shapely
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import polygon as polygon_pixels

N_CLASSES = 9


class PlainLoop:
    """Cuts patches of a slide."""

    def __init__(
        self,
        image: NDArray[np.uint8],
        nuclei: NDArray[np.object_],
        class_index: NDArray[np.uint8],
        cell_number: NDArray[np.uint32],
        side_px: int,
    ) -> None:
        """Take polygons in pixels of the image, and the class (1..9) and cell number of each."""
        self._image, self._nuclei, self._side_px = image, nuclei, side_px
        self._class_index, self._cell_number = class_index, cell_number
        self._tree = shapely.STRtree(nuclei)
        self.n_nuclei = len(nuclei)

    def write(self, folder: Path, names: list[str], corners: NDArray[np.int64]) -> None:
        """Write images, labels and cell numbers of the patches with these left top corners."""
        folder.mkdir()
        with (
            zipfile.ZipFile(folder / "images.zip", "w") as images,
            zipfile.ZipFile(folder / "labels.zip", "w", zipfile.ZIP_DEFLATED) as labels,
            zipfile.ZipFile(folder / "cells.zip", "w") as cells,
        ):
            for name, (left, top) in zip(names, corners.tolist(), strict=True):
                mask = self.mask(left, top)
                images.writestr(f"{name}.png", self._png(left, top))
                labels.writestr(f"{name}.npz", label(mask))
                cells.writestr(f"{name}.npz", cell_map(mask))

    def mask(self, left: int, top: int) -> NDArray[np.int32]:
        """Return (y, x, classes + 1): instances by class, and the cell number last."""
        patch = shapely.box(left, top, left + self._side_px, top + self._side_px)
        mask = np.zeros((self._side_px, self._side_px, N_CLASSES + 1), dtype=np.int32)
        count = np.zeros(N_CLASSES, dtype=np.int32)
        for number in np.sort(self._tree.query(patch, predicate="intersects")):
            visible = self._nuclei[number].intersection(patch)
            if visible.geom_type != "Polygon" or visible.is_empty:
                continue
            x, y = visible.exterior.xy
            # scikit-image has the centre of a pixel at its number, the outlines have it at half a pixel more.
            rows, columns = polygon_pixels(
                np.array(y) - top - 0.5, np.array(x) - left - 0.5, mask.shape[:2]
            )
            category = self._class_index[number] - 1
            count[category] += 1
            mask[rows, columns, category] = count[category]
            mask[rows, columns, N_CLASSES] = self._cell_number[number]
        return mask

    def _png(self, left: int, top: int) -> bytes:
        content = io.BytesIO()
        pixels = self._image[top : top + self._side_px, left : left + self._side_px]
        Image.fromarray(pixels).save(content, "PNG")
        return content.getvalue()


def label(mask: NDArray[np.int32]) -> bytes:
    """Return instances 1..n over all classes, and classes, as CellViT takes them."""
    instances, types = np.zeros(mask.shape[:2], np.int32), np.zeros(mask.shape[:2], np.int32)
    offset = 0
    for category in range(N_CLASSES):
        channel = mask[..., category]
        ids = np.unique(channel[channel > 0])
        for number, value in enumerate(ids, start=offset + 1):
            instances[channel == value] = number
        types[channel > 0] = category + 1
        offset += len(ids)
    parts = {}
    for name, values in (("inst_map", instances), ("type_map", types)):
        csr = scipy.sparse.csr_matrix(values)
        parts |= {
            f"{name}_{part}": getattr(csr, part) for part in ("data", "indices", "indptr", "shape")
        }
    content = io.BytesIO()
    np.savez(content, **parts)
    return content.getvalue()


def cell_map(mask: NDArray[np.int32]) -> bytes:
    """Return the cell numbers as scipy keeps them."""
    content = io.BytesIO()
    scipy.sparse.save_npz(content, scipy.sparse.csr_matrix(mask[..., N_CLASSES]))
    return content.getvalue()
