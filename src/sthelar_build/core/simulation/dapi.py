"""The morphology image: DAPI, and on request the stains of the multimodal kit, on the morphology grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rasterio import features
from scipy import ndimage

from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.fields import Field, fine_texture, smooth_noise, stream
from sthelar_build.core.simulation.nuclei import Shapes
from sthelar_build.core.simulation.population import Population
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM
from sthelar_build.core.simulation.tissue import Tissue

DAPI = "DAPI"
BOUNDARY = "ATP1A1/CD45/E-Cadherin"
INTERIOR = "18S"
PROTEIN = "AlphaSMA/Vimentin"
_FULL = 5200.0
_BACKGROUND = 110.0
_AUTOFLUORESCENCE = 160.0
_READ_NOISE = 9.0
_PSF_PX = 1.3


def labels_on_grid(
    shapes: Shapes, scale_px_per_um: float, shape_px: tuple[int, int]
) -> NDArray[np.int32]:
    """Burn shapes (um) on a grid whose corner is at (0, 0): 0 is background, ``i + 1`` is ``shapes[i]``.

    A pixel belongs to a shape when its centre does; the last of the sequence keeps shared pixels.
    """
    if not len(shapes):
        return np.zeros(shape_px, dtype=np.int32)
    transform = features.rasterio.Affine(1 / scale_px_per_um, 0, 0, 0, 1 / scale_px_per_um, 0)
    pairs = ((shape, value) for value, shape in enumerate(shapes, start=1))
    return np.asarray(
        features.rasterize(pairs, out_shape=shape_px, transform=transform, dtype="int32")
    )


def morphology_images(
    seed: int,
    tissue: Tissue,
    population: Population,
    shape_px: tuple[int, int],
    multichannel: bool,
) -> dict[str, NDArray[np.uint16]]:
    """Return channel name -> (y, x) uint16 image at 0.2125 um/px."""
    rng = stream(seed, "morphology")
    on_tissue = _tissue_on_pixels(tissue, shape_px)
    images = {DAPI: _dapi(rng, population, on_tissue, shape_px)}
    if multichannel:
        cells = labels_on_grid(population.outlines, 1 / PIXEL_SIZE_UM, shape_px)
        images |= _stains(rng, population, cells, on_tissue)
    return images


def _tissue_on_pixels(tissue: Tissue, shape_px: tuple[int, int]) -> Field:
    soft = ndimage.gaussian_filter(tissue.on_tissue().astype(np.float32), 1.5)
    grid = tissue.grid
    rows = ((np.arange(shape_px[0]) + 0.5) * PIXEL_SIZE_UM - grid.top_um) / grid.step_um
    columns = ((np.arange(shape_px[1]) + 0.5) * PIXEL_SIZE_UM - grid.left_um) / grid.step_um
    return np.asarray(soft[np.ix_(rows.astype(int), columns.astype(int))])


def _dapi(
    rng: np.random.Generator,
    population: Population,
    on_tissue: Field,
    shape_px: tuple[int, int],
) -> NDArray[np.uint16]:
    labels = labels_on_grid(population.nuclei, 1 / PIXEL_SIZE_UM, shape_px)
    kinds = cell_types().loc[population.cells["fine_label"].to_numpy()[population.owner]]
    brightness = kinds["dapi"].to_numpy() * rng.lognormal(0, 0.16, len(kinds))
    clumps = 0.35 - 0.3 * kinds["vesicular"].to_numpy()
    light = np.r_[0, brightness].astype(np.float32)[labels]
    texture = 0.6 * fine_texture(rng, shape_px, 5.0) + 0.4 * fine_texture(rng, shape_px, 11.0)
    light *= np.clip(1 + np.r_[0, clumps].astype(np.float32)[labels] * texture, 0.2, 2.0)
    del texture, labels
    image = ndimage.gaussian_filter(light, _PSF_PX)
    image += (
        0.06
        * ndimage.gaussian_filter(light[::4, ::4], 5)
        .repeat(4, 0)
        .repeat(4, 1)[: shape_px[0], : shape_px[1]]
    )
    return _exposed(rng, image, on_tissue)


def _exposed(
    rng: np.random.Generator, light: Field, on_tissue: Field, full: float = _FULL
) -> NDArray[np.uint16]:
    haze = 1 + 0.25 * smooth_noise(rng, light.shape, 600)
    light *= np.float32(full)
    light += np.float32(_BACKGROUND) + np.float32(_AUTOFLUORESCENCE) * on_tissue * haze
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    light += noise * np.sqrt(np.maximum(light, 0) * np.float32(1.5) + np.float32(_READ_NOISE**2))
    return np.clip(light, 0, 65535).astype(np.uint16)


def _stains(
    rng: np.random.Generator,
    population: Population,
    cells: NDArray[np.int32],
    on_tissue: Field,
) -> dict[str, NDArray[np.uint16]]:
    kind = population.cells["class_name"].to_numpy()
    size = cell_types().loc[population.cells["fine_label"], "transcripts"].to_numpy()
    edge = ndimage.maximum_filter(cells, 3) != ndimage.minimum_filter(cells, 3)
    shape = (cells.shape[0], cells.shape[1])
    grain = np.clip(1 + 0.3 * fine_texture(rng, shape, 4.0), 0.2, 2.0)
    membrane = np.where(np.isin(kind, ["Epithelial", "T_NK", "B_Plasma"]), 0.8, 0.25)
    fibres = np.where(np.isin(kind, ["Blood_vessel", "Fibroblast_Myofibroblast"]), 0.9, 0.08)
    images = {}
    for name, per_cell, where in (
        (BOUNDARY, membrane, edge),
        (INTERIOR, 0.6 * size, cells > 0),
        (PROTEIN, fibres, cells > 0),
    ):
        light = np.r_[0, per_cell].astype(np.float32)[cells] * where * grain
        images[name] = _exposed(rng, ndimage.gaussian_filter(light, _PSF_PX), on_tissue)
    return images
