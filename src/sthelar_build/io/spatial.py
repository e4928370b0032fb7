"""SpatialData elements and stores: images, points, shapes and tables in three coordinate systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import dask
import dask.array as da
import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from spatialdata import SpatialData
from spatialdata.models import Image2DModel, PointsModel, ShapesModel, TableModel
from spatialdata.transformations import Affine as AffineTransformation
from spatialdata.transformations import BaseTransformation, Identity, set_transformation
from xarray import DataArray, Dataset, DataTree

from sthelar_build.io.atomic import published
from sthelar_build.io.memory import give_back
from sthelar_build.io.progress import progress
from sthelar_build.io.zips import zip_writer
from sthelar_build.schema import elements
from sthelar_build.schema.frames import Affine, Frame

Make = Callable[[], Any]
"""Makes an element of a store."""

_SYSTEMS = {
    elements.GLOBAL: Frame.MORPHOLOGY,
    elements.HE_SYSTEM: Frame.HE,
    elements.UM_SYSTEM: Frame.UM,
}


@dataclass(frozen=True)
class SlideFrames:
    """How the H&E, the morphology image and the micrometres of a slide lie to one another."""

    he_to_morphology: Affine
    pixel_size_um: float
    """Micrometres per level-0 pixel of the morphology image."""

    def transformations(self, source: Frame) -> dict[str, BaseTransformation]:
        """Return the maps from ``source`` to every coordinate system of the store."""
        return {
            name: Identity() if source is target else _affine(self._between(source, target).matrix)
            for name, target in _SYSTEMS.items()
        }

    def of_nodes(
        self, left_um: float, top_um: float, step_um: float
    ) -> dict[str, BaseTransformation]:
        """Return the same of an image whose pixel centres are nodes of the um plane, the first at (left, top)."""
        to_um = np.diag([step_um, step_um, 1.0])
        to_um[:2, 2] = left_um - step_um / 2, top_um - step_um / 2
        return {
            name: _affine(self._between(Frame.UM, target).matrix @ to_um)
            for name, target in _SYSTEMS.items()
        }

    def _between(self, source: Frame, target: Frame) -> Affine:
        return self._to_morphology(source).then(self._to_morphology(target).inverse())

    def _to_morphology(self, source: Frame) -> Affine:
        if source is Frame.HE:
            return self.he_to_morphology
        factor = 1 / self.pixel_size_um if source is Frame.UM else 1.0
        return Affine.scaling(factor, source, Frame.MORPHOLOGY)


def _affine(matrix: NDArray[np.float64]) -> AffineTransformation:
    return AffineTransformation(matrix, input_axes=("x", "y"), output_axes=("x", "y"))


def image_element(
    levels: Sequence[da.Array],
    channels: Sequence[str],
    transformations: Mapping[str, BaseTransformation],
) -> DataTree:
    """Return a multiscale image of lazy levels (c, y, x), largest first, that are taken as they are."""
    full = levels[0].shape
    tree = DataTree.from_dict(
        {f"scale{i}": _level_dataset(level, channels, full) for i, level in enumerate(levels)}
    )
    set_transformation(tree, dict(transformations), set_all=True)
    Image2DModel().validate(tree)
    return tree


def _level_dataset(level: da.Array, channels: Sequence[str], full: Sequence[int]) -> Dataset:
    coordinates = {
        axis: (np.arange(size) + 0.5) * (whole / size)
        for axis, size, whole in zip("yx", level.shape[1:], full[1:], strict=True)
    }
    data = DataArray(level, dims=("c", "y", "x"), coords={"c": list(channels), **coordinates})
    return Dataset({"image": data})


def grid_element(
    values: NDArray[np.floating],
    channels: Sequence[str],
    transformations: Mapping[str, BaseTransformation],
) -> DataArray:
    """Return a small image (c, y, x) of one level."""
    element: DataArray = Image2DModel.parse(
        values,
        dims=("c", "y", "x"),
        c_coords=list(channels),
        transformations=dict(transformations),
    )
    return element


def points_element(
    table: Any, feature: str, instance: str, transformations: Mapping[str, BaseTransformation]
) -> Any:
    """Return points from a lazy table with columns x, y, z, in the order of its rows."""
    return PointsModel.parse(
        table,
        feature_key=feature,
        instance_key=instance,
        transformations=dict(transformations),
        sort=True,
    )


def shapes_element(
    shapes: pd.DataFrame, transformations: Mapping[str, BaseTransformation]
) -> pd.DataFrame:
    """Return shapes from a GeoDataFrame; its index is what tables refer to."""
    element: pd.DataFrame = ShapesModel.parse(shapes, transformations=dict(transformations))
    return element


def linked_table(table: AnnData, region: str | None, instance_key: str) -> AnnData:
    """Link the rows of a table to the shapes ``region`` by ``instance_key``; without a region to none."""
    if region is None:
        return TableModel.parse(table)
    table.obs["region"] = pd.Categorical([region] * table.n_obs)
    return TableModel.parse(table, region=region, region_key="region", instance_key=instance_key)


def write_store(
    path: Path,
    makers: Iterable[tuple[str, Make]],
    attributes: Mapping[str, Any],
    threads: int = 1,
) -> None:
    """Write a store, element by element: each is made only once the one before it is written and forgotten.

    Tables come after the shapes that they are about. Every thread holds a block of an image, or a partition of the
    points, at a time.
    """
    data = SpatialData(attrs=dict(attributes))
    data.write(path, consolidate_metadata=False)
    # Left alone, dask takes all cores of the machine, and with them memory.
    with (
        dask.config.set(scheduler="threads", num_workers=threads),
        anndata.settings.override(auto_shard_zarr_v3=True),
    ):
        for name, make in progress(makers, "elements of the store", None):
            _write_element(data, name, make())
            give_back()
    data.write_consolidated_metadata()


def _write_element(data: SpatialData, name: str, element: Any) -> None:
    data[name] = element
    data.write_element(name)
    is_shapes = name in data.shapes
    del data[name]
    if is_shapes:
        # For a table to be held against the shapes that it is about, one row of them will do; a view would keep all.
        data.shapes[name] = element.iloc[:1].copy()


def zip_store(store: Path, archive: Path) -> None:
    """Write a store into one uncompressed zip file, ``zarr.json`` at its root, whole or not at all."""
    files = sorted(path for path in store.rglob("*") if path.is_file())
    with published(archive) as draft, zip_writer(draft) as zipped:
        for path in progress(files, "files of the store", len(files)):
            name = path.relative_to(store).as_posix()
            zipped.add(name, path.read_bytes(), compress=False)
