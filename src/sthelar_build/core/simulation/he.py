"""The H&E of a simulated slide, drawn on its own pixels from the polygons of the tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio import features
from scipy import ndimage
from skimage.transform import warp

from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.fields import Field, fine_texture, stream
from sthelar_build.core.simulation.grid import Grid
from sthelar_build.core.simulation.matrix import STEP_UM, matrix_eosin, tissue_thickness
from sthelar_build.core.simulation.nuclei import Shapes
from sthelar_build.core.simulation.population import Population
from sthelar_build.core.simulation.stains import (
    Concentrations,
    Stains,
    photograph,
    slide_stains,
)
from sthelar_build.core.simulation.structures import Points
from sthelar_build.core.simulation.tissue import Tissue
from sthelar_build.schema.frames import Affine

_OPACITY = {
    "Epithelial": 0.92,
    "Melanocyte": 0.85,
    "B_Plasma": 0.65,
    "T_NK": 0.45,
    "Myeloid": 0.70,
    "Blood_vessel": 0.45,
    "Fibroblast_Myofibroblast": 0.25,
    "Specialized": 0.0,
}
_BODY_UM = {
    "B_Plasma": 1.9,
    "T_NK": 0.9,
    "Myeloid": 2.3,
    "Melanocyte": 2.2,
    "Blood_vessel": 2.0,
    "Fibroblast_Myofibroblast": 1.6,
}
_MELANIN = {
    "Melanocyte": 0.20,
    "basal_keratinocyte": 0.10,
    "Proliferating_basal_keratinocyte": 0.08,
}
_RED_CELL_UM = 3.3
_RED_CELLS_PER_UM2 = 0.019
_SECRETION = 0.07
_OUT_OF_FOCUS_SHARE = 0.06
"""Nuclei grazed by the knife: faint in the H&E."""


@dataclass(frozen=True)
class _Canvas:
    """The pixels of the H&E, and where they lie in um."""

    um_from_he: Affine
    shape_px: tuple[int, int]

    @property
    def px_per_um(self) -> float:
        return 1 / self.um_from_he.scale

    def burn(
        self, shapes: Shapes, values: NDArray[np.float64] | None = None
    ) -> NDArray[np.float32]:
        """Draw shapes (um): 0 is background; the value is ``values[i]``, or the number ``i + 1``."""
        if not len(shapes):
            return np.zeros(self.shape_px, dtype=np.float32)
        drawn = self.um_from_he.inverse().apply_to_geometries(shapes)
        numbers = np.arange(1, len(shapes) + 1) if values is None else values
        there = ~shapely.is_empty(drawn)
        pairs = zip(drawn[there], numbers[there], strict=True)
        return np.asarray(features.rasterize(pairs, out_shape=self.shape_px, dtype="float32"))

    def sample(self, field: Field, grid: Grid, step_um: float) -> Field:
        """Look a raster of the tissue up at every pixel, bilinearly; 0 outside the raster."""
        index_from_um = np.array(
            [
                [1 / step_um, 0, -grid.left_um / step_um - 0.5],
                [0, 1 / step_um, -grid.top_um / step_um - 0.5],
                [0, 0, 1],
            ]
        )
        half_px = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        lookup = index_from_um @ self.um_from_he.matrix @ half_px
        sampled = warp(
            field, lookup, output_shape=self.shape_px, order=1, cval=0.0, preserve_range=True
        )
        return np.asarray(sampled, dtype=np.float32)


def render_he(
    seed: int,
    tissue: Tissue,
    population: Population,
    um_from_he: Affine,
    shape_px: tuple[int, int],
    stain_variation: float,
    stains: Stains | None = None,
) -> NDArray[np.uint8]:
    """Return the H&E as uint8 RGB of shape (*shape_px, 3); ``stains`` are drawn by the seed unless given.

    Geometry is mapped to the H&E frame and drawn at its resolution, so nuclei lie where ``um_from_he``
    says to a fraction of a pixel. Stain concentrations become colours by Beer-Lambert.
    """
    rng = stream(seed, "he")
    canvas = _Canvas(um_from_he, shape_px)
    eosin = canvas.sample(matrix_eosin(rng, tissue), tissue.grid, STEP_UM)
    haematoxylin = np.zeros(shape_px, dtype=np.float32)
    melanin = _cytoplasm(rng, canvas, population, eosin, haematoxylin)
    blood = _open_spaces(rng, canvas, tissue, population, eosin, haematoxylin, melanin)
    _nuclei(rng, canvas, population, eosin, haematoxylin, melanin)
    thickness = canvas.sample(tissue_thickness(rng, tissue), tissue.grid, tissue.grid.step_um)
    for pigment in (eosin, haematoxylin, blood, melanin):
        pigment *= thickness
    del thickness
    concentrations = Concentrations(haematoxylin, eosin, blood, melanin)
    return photograph(rng, concentrations, stains or slide_stains(rng, stain_variation))


def _cytoplasm(
    rng: np.random.Generator,
    canvas: _Canvas,
    population: Population,
    eosin: Field,
    haematoxylin: Field,
) -> Field:
    cells = population.cells
    kinds = cell_types().loc[cells["fine_label"]]
    labels = canvas.burn(_bodies(population)).astype(np.int32)
    opacity = cells["class_name"].map(_OPACITY).to_numpy(dtype=np.float64)
    cover = ndimage.gaussian_filter(_spread(opacity, labels), 0.5 * canvas.px_per_um)
    grain = 1 + 0.16 * fine_texture(rng, canvas.shape_px, 1.6 * canvas.px_per_um)
    grain += 0.10 * fine_texture(rng, canvas.shape_px, 5.0 * canvas.px_per_um)
    own = kinds["eosin"].to_numpy() * rng.lognormal(0, 0.12, len(cells))
    stained = _spread(own, labels) * grain
    stained *= 1 - 0.38 * _borders(labels, canvas.px_per_um)
    eosin *= 1 - cover
    eosin += cover * stained
    blue = kinds["basophilia"].to_numpy() * rng.lognormal(0, 0.2, len(cells))
    haematoxylin += ndimage.gaussian_filter(_spread(blue, labels) * grain, 1.0)
    brown = cells["fine_label"].map(_MELANIN).fillna(0.0).to_numpy()
    brown = brown * rng.lognormal(0, 0.6, len(cells))
    granules = np.clip(fine_texture(rng, canvas.shape_px, 0.9 * canvas.px_per_um), 0, 3)
    return _spread(brown, labels) * granules


def _bodies(population: Population) -> Shapes:
    bodies = population.outlines.copy()
    reach = population.cells["class_name"].map(_BODY_UM).to_numpy()[population.owner]
    small = ~np.isnan(reach)
    owner = population.owner[small]
    around = shapely.buffer(population.nuclei[small], reach[small], quad_segs=4)
    bodies[owner] = shapely.intersection(bodies[owner], around)
    return bodies


def _spread(per_cell: NDArray[Any], labels: NDArray[np.int32]) -> Field:
    return np.asarray(np.r_[0.0, per_cell].astype(np.float32)[labels])


def _borders(labels: NDArray[np.int32], px_per_um: float) -> Field:
    edge = np.zeros(labels.shape, dtype=np.float32)
    edge[:-1] = labels[:-1] != labels[1:]
    edge[:, :-1] = np.maximum(edge[:, :-1], labels[:, :-1] != labels[:, 1:])
    blurred = ndimage.gaussian_filter(edge, 0.25 * px_per_um)
    return np.asarray(np.minimum(blurred * (1.6 * 0.25 * px_per_um * np.sqrt(2 * np.pi)), 1.0))


def _open_spaces(
    rng: np.random.Generator,
    canvas: _Canvas,
    tissue: Tissue,
    population: Population,
    eosin: Field,
    haematoxylin: Field,
    melanin: Field,
) -> Field:
    lumens = np.array([*tissue.vessels, *tissue.vacuoles, *tissue.cavities], dtype=object)
    residue = np.repeat(
        [0.03, 0.0, _SECRETION],
        [len(tissue.vessels), len(tissue.vacuoles), len(tissue.cavities)],
    )
    is_open = ndimage.gaussian_filter(
        (canvas.burn(lumens) > 0).astype(np.float32), 0.25 * canvas.px_per_um
    )
    left = canvas.burn(lumens, residue)
    for pigment in (eosin, haematoxylin, melanin):
        pigment *= 1 - is_open
    eosin += left
    return _red_cells(rng, canvas, tissue)


def _red_cells(rng: np.random.Generator, canvas: _Canvas, tissue: Tissue) -> Field:
    centres = [np.zeros((0, 2))]
    for lumen in tissue.vessels:
        room = lumen.buffer(-0.6 * _RED_CELL_UM)
        if room.is_empty:
            room = lumen.centroid.buffer(0.2)
        fill = rng.beta(1.2, 1.0) if lumen.area > 150 else 1.0
        count = int(rng.poisson(fill * _RED_CELLS_PER_UM2 * lumen.area + 0.3))
        centres.append(_random_points_in(rng, room, count))
    middle = np.concatenate(centres)
    radius = _RED_CELL_UM * rng.uniform(0.85, 1.05, len(middle))
    discs = shapely.buffer(shapely.points(middle), radius, quad_segs=6)
    dents = shapely.buffer(shapely.points(middle), 0.45 * radius, quad_segs=5)
    blood = 0.62 * (canvas.burn(np.asarray(discs, dtype=object)) > 0).astype(np.float32)
    blood -= 0.16 * (canvas.burn(np.asarray(dents, dtype=object)) > 0)
    return np.asarray(ndimage.gaussian_filter(blood, 0.3 * canvas.px_per_um))


def _random_points_in(rng: np.random.Generator, area: shapely.Geometry, count: int) -> Points:
    left, top, right, bottom = area.bounds
    tried = rng.uniform((left, top), (right, bottom), (8 * count + 8, 2))
    return np.asarray(tried[shapely.contains_xy(area, tried[:, 0], tried[:, 1])][:count])


def _nuclei(
    rng: np.random.Generator,
    canvas: _Canvas,
    population: Population,
    eosin: Field,
    haematoxylin: Field,
    melanin: Field,
) -> None:
    labels = canvas.burn(population.nuclei).astype(np.int32)
    kinds = cell_types().loc[population.cells["fine_label"].to_numpy()[population.owner]]
    stain = 1.12 * kinds["haematoxylin"].to_numpy() * rng.lognormal(0, 0.20, len(kinds))
    stain *= np.where(rng.random(len(kinds)) < _OUT_OF_FOCUS_SHARE, 0.45, 1.0)
    pale = kinds["vesicular"].to_numpy() * rng.uniform(0.5, 1.2, len(kinds))
    inside = (labels > 0).astype(np.float32)
    depth = ndimage.gaussian_filter(inside, 0.9 * canvas.px_per_um)
    depth = np.clip((depth - 0.5) * 2.4, 0, 1) * inside
    texture = 0.6 * fine_texture(rng, canvas.shape_px, 0.9 * canvas.px_per_um)
    texture += 0.5 * fine_texture(rng, canvas.shape_px, 2.0 * canvas.px_per_um)
    chromatin = 1 - 0.85 * _spread(pale, labels) * depth + 0.17 * texture
    chromatin = _spread(stain, labels) * np.clip(chromatin, 0.25, 1.5)
    chromatin += 0.45 * _nucleoli(rng, canvas, population, kinds["nucleoli"].to_numpy())
    cover = ndimage.gaussian_filter(inside, 0.24 * canvas.px_per_um)
    haematoxylin *= 1 - cover
    haematoxylin += ndimage.gaussian_filter(chromatin, 0.22 * canvas.px_per_um)
    eosin *= 1 - 0.62 * cover
    melanin *= 1 - 0.8 * cover


def _nucleoli(
    rng: np.random.Generator,
    canvas: _Canvas,
    population: Population,
    most: NDArray[np.int64],
) -> Field:
    count = rng.binomial(most, 0.65)
    nucleus = np.repeat(np.arange(len(count)), count)
    middle = population.nucleus_vertices.mean(axis=1)[nucleus]
    edge = population.nucleus_vertices[
        nucleus, rng.integers(0, population.nucleus_vertices.shape[1], len(nucleus))
    ]
    place = middle + rng.uniform(0.05, 0.55, (len(nucleus), 1)) * (edge - middle)
    dots = shapely.buffer(shapely.points(place), rng.uniform(0.55, 1.0, len(place)), quad_segs=4)
    return (canvas.burn(np.asarray(dots, dtype=object)) > 0).astype(np.float32)
