"""The nuclei of a slide with their classes and their place: as outlines, or as labels of the vendor's raster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.raster_places import ToRaster
from sthelar_build.core.raster_source import LabelledNuclei
from sthelar_build.core.strips import Nuclei
from sthelar_build.errors import InputError
from sthelar_build.io.tables import geometry_batches, read_table
from sthelar_build.io.transform import Transform, read_transform
from sthelar_build.schema.labels import CLASSES, patch_class_index
from sthelar_build.schema.tables import LABELS, NUCLEI

_COLUMNS = ("nucleus_id", "cell_id", "x_um", "y_um", "area_um2", "raster_label")


@dataclass(frozen=True)
class PlacedNuclei:
    """All nuclei of a slide, and the way to pixels of a scale."""

    path: Path
    """The table that they come from."""
    table: pd.DataFrame
    """Columns of ``schema.tables.NUCLEI`` without words and shapes, and the published ``class_index``."""
    transform: Transform
    downsample: float
    """Level-0 H&E pixels per pixel of the scale."""

    def __len__(self) -> int:
        return len(self.table)

    @property
    def centres_px(self) -> NDArray[np.float64]:
        """Their centroids (n, 2) in pixels of the scale, x first."""
        points_um = self.table[["x_um", "y_um"]].to_numpy(np.float64)
        return self.transform.um_to_he.apply(points_um) / self.downsample

    def outlines(self) -> Nuclei:
        """Return them as polygons."""
        known = self._ids(), self._classes()
        batches = geometry_batches(self.path)
        return Nuclei.of(batches, *known, self.transform.um_to_he, self.downsample)

    def labelled(self) -> LabelledNuclei:
        """Return them as labels of the raster; InputError if they are not those of a raster."""
        labels = self.table["raster_label"]
        if labels.isna().any() or labels.duplicated().any():
            raise InputError(
                f"{self.path}: expected a raster_label of its own for every nucleus, found "
                f"{labels.isna().sum()} without and {labels.duplicated().sum()} repeated: nuclei of another "
                "segmentation have no raster in the bundle; use rasterise.source: polygons"
            )
        px_per_um = self.transform.um_to_he.scale / self.downsample
        area_px = self.table["area_um2"].to_numpy(np.float64) * px_per_um**2
        return LabelledNuclei.of(labels.to_numpy(np.int64), self._ids(), self._classes(), area_px)

    def to_raster(self) -> ToRaster:
        """Return the way from pixels of the scale to those of the raster."""
        placed = self.transform
        return ToRaster(
            placed.he_to_morphology, self.downsample, placed.pixel_size_um, placed.correction
        )

    def _ids(self) -> NDArray[np.uint32]:
        return self.table["nucleus_id"].to_numpy(np.uint32)

    def _classes(self) -> NDArray[np.uint8]:
        return self.table["class_index"].to_numpy(np.uint8)


def read_placed_nuclei(
    nuclei: Path, labels: Path, transform: Path, downsample: float
) -> PlacedNuclei:
    """Read the nuclei, the class of each, and where they lie; InputError if one has no class."""
    frame = read_table(nuclei, NUCLEI, _COLUMNS)
    classes = _class_of_cell(labels).reindex(frame.cell_id)
    if classes.isna().any():
        raise InputError(
            f"{nuclei}: expected a label in {labels} for every cell, found none for "
            f"{classes.isna().sum()} nuclei, the first of cell {classes.index[classes.isna()][0]}; "
            "use tables of one run"
        )
    table = frame.drop(columns="cell_id").assign(class_index=np.asarray(classes, dtype=np.uint8))
    return PlacedNuclei(nuclei, table, read_transform(transform), downsample)


def _class_of_cell(labels: Path) -> pd.Series[int]:
    """Return the published class index by cell_id."""
    table = read_table(labels, LABELS, ["cell_id", "final_label"])
    unknown = sorted(set(table.final_label) - {known.name for known in CLASSES})
    if unknown:
        raise InputError(
            f"{labels}: expected in final_label the classes of schema/labels.csv, found {unknown[0]!r}; "
            "correct the curation and run refine again"
        )
    return pd.Series(table.final_label.map(patch_class_index).to_numpy(), index=table.cell_id)
