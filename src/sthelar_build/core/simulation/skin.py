"""Normal skin: a layered epidermis with melanocytes, and a dermis with vessels, glands, muscle and fat."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from sthelar_build.core.simulation.fields import Field, layered_noise, smooth_noise
from sthelar_build.core.simulation.grid import Grid
from sthelar_build.core.simulation.structures import (
    FAT_NICHE,
    VESSEL_NICHE,
    Points,
    add_fat,
    add_gland,
    add_muscle,
    add_vessel,
    free_centres,
)
from sthelar_build.core.simulation.tissue import (
    GLASS,
    GLASS_NICHE,
    NO_CELLS,
    Niche,
    Tissue,
    TissueBuilder,
    lay_glass,
)

CORNEUM_UM = 16.0
_EPIDERMIS_UM = 72.0
_RETE_UM = 36.0

_NICHES = (
    GLASS_NICHE,
    Niche("corneum", NO_CELLS, {}, eosin=0.75, fibrous=0.9, clefts=0.30),
    Niche("granular", 10.5, {"granular_keratinocyte": 1.0}, eosin=0.42, fibrous=0.1, clefts=0.0),
    Niche(
        "spinous",
        10.2,
        {"Keratinocyte": 0.94, "DC": 0.03, "T_CD8": 0.03},
        eosin=0.42,
        fibrous=0.1,
        clefts=0.0,
    ),
    Niche(
        "parabasal",
        8.6,
        {
            "basal_keratinocyte": 0.60,
            "Proliferating_basal_keratinocyte": 0.20,
            "Keratinocyte": 0.20,
        },
        eosin=0.34,
        fibrous=0.1,
        clefts=0.0,
    ),
    Niche(
        "papillary_dermis",
        11.5,
        {
            "Fibroblast": 0.56,
            "Macrophage": 0.12,
            "DC": 0.07,
            "T_CD8": 0.07,
            "T": 0.06,
            "Mast": 0.07,
            "NK": 0.03,
            "Treg": 0.02,
        },
        eosin=0.42,
        fibrous=0.7,
        clefts=0.16,
    ),
    Niche(
        "reticular_dermis",
        15.0,
        {"Fibroblast": 0.80, "Macrophage": 0.09, "Mast": 0.06, "DC": 0.02, "Plasma": 0.03},
        eosin=0.72,
        fibrous=1.0,
        clefts=0.26,
    ),
    Niche(
        "infiltrate",
        7.6,
        {
            "T": 0.26,
            "T_CD8": 0.22,
            "Treg": 0.08,
            "B": 0.12,
            "Plasma": 0.12,
            "Macrophage": 0.10,
            "NK": 0.06,
            "DC": 0.04,
        },
        eosin=0.26,
        fibrous=0.5,
        clefts=0.10,
    ),
    Niche(
        "naevus",
        9.6,
        {"Melanocyte": 0.90, "Macrophage": 0.04, "T_CD8": 0.04, "Fibroblast": 0.02},
        eosin=0.34,
        fibrous=0.4,
        clefts=0.05,
    ),
    Niche("gland", NO_CELLS, {}, eosin=0.30, fibrous=0.2, clefts=0.0),
    Niche("muscle", NO_CELLS, {}, eosin=0.70, fibrous=0.7, clefts=0.05),
    VESSEL_NICHE,
    FAT_NICHE,
)


def skin(
    rng: np.random.Generator,
    width_um: float,
    height_um: float,
    off_tissue_share: float,
    pad_um: float,
) -> Tissue:
    """Lay out skin over the region and ``pad_um`` around it; the surface is at the top, below the glass."""
    grid = Grid.around(width_um, height_um, pad_um)
    builder = TissueBuilder.filled(grid, _NICHES, "reticular_dermis")
    x, y = grid.centres()
    surface, border = _surface_and_border(rng, grid, height_um * off_tissue_share)
    lay_glass(builder, y < surface[None, :], layered_noise(rng, grid.shape, [15, 40]))
    _epidermis(rng, builder, y, surface, border)
    _basal_layer(rng, builder, x[0], border)
    _naevus(rng, builder, y, border, width_um * height_um)
    _dermis(rng, builder, y, border, width_um * height_um, height_um)
    return builder.build(_fibre_angle(rng, builder))


def _surface_and_border(rng: np.random.Generator, grid: Grid, top_um: float) -> tuple[Field, Field]:
    columns = (3, grid.shape[1])
    surface = top_um + 5 * smooth_noise(rng, columns, 120)[1]
    ridges = smooth_noise(rng, columns, 62)[1] + 0.5 * smooth_noise(rng, columns, 30)[1]
    depth = _EPIDERMIS_UM + _RETE_UM * np.tanh(ridges)
    return surface.astype(np.float32), (surface + CORNEUM_UM + depth).astype(np.float32)


def _epidermis(
    rng: np.random.Generator, builder: TissueBuilder, y: Field, surface: Field, border: Field
) -> None:
    rough = 2.5 * smooth_noise(rng, builder.grid.shape, 14)
    tissue = ~builder.mask(GLASS)
    below = y - surface[None, :]
    builder.paint("papillary_dermis", tissue & (y < border[None, :] + 70 + 6 * rough))
    builder.paint("spinous", tissue & (y < border[None, :]))
    builder.paint("parabasal", tissue & (y < border[None, :]) & (y > border[None, :] - 17 + rough))
    builder.paint("granular", tissue & (below < CORNEUM_UM + 15 + rough))
    builder.paint("corneum", tissue & (below < CORNEUM_UM + 0.6 * rough))


def _basal_layer(rng: np.random.Generator, builder: TissueBuilder, x: Field, border: Field) -> None:
    curve = np.stack([x, border - 4.2], axis=1).astype(np.float64)
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    at = np.arange(3.0, length[-1], 7.4)
    at = at + rng.normal(0, 0.5, len(at))
    points = np.stack([np.interp(at, length, curve[:, k]) for k in (0, 1)], axis=1)
    slope = np.interp(at, length, np.gradient(curve[:, 1], curve[:, 0]))
    kind = rng.random(len(points))
    labels = np.where(kind < 0.16, "Melanocyte", "basal_keratinocyte")
    labels = np.where(kind > 0.90, "Proliferating_basal_keratinocyte", labels)
    points[:, 1] += np.where(labels == "Melanocyte", 1.0, 0.0)
    upright = np.arctan(slope) + np.pi / 2
    builder.anchor(points, labels.astype(object), "parabasal", upright)


def _naevus(
    rng: np.random.Generator, builder: TissueBuilder, y: Field, border: Field, area_um2: float
) -> None:
    below = builder.mask("papillary_dermis") & (y < border[None, :] + 45)
    x, _ = builder.grid.centres()
    rough = smooth_noise(rng, builder.grid.shape, 22)
    candidates = np.argwhere(below)
    for _ in range(max(1, round(area_um2 * 1.1e-5)) if len(candidates) else 0):
        row, column = candidates[rng.integers(len(candidates))]
        reach = np.hypot(x - x[row, column], 1.5 * (y - y[row, column])) - 4 * rough
        builder.paint("naevus", below & (reach < 32))


def _dermis(
    rng: np.random.Generator,
    builder: TissueBuilder,
    y: Field,
    border: Field,
    area_um2: float,
    height_um: float,
) -> None:
    grid = builder.grid
    deep = y > np.maximum(height_um * 0.80, border[None, :] + 120)
    lobules = smooth_noise(rng, grid.shape, 90) > -0.3
    fat = np.asarray(deep & lobules & builder.mask("reticular_dermis"))
    dermis = ("papillary_dermis", "reticular_dermis")
    add_fat(rng, builder, ndimage.binary_opening(fat, iterations=12), 40.0)
    for centre in free_centres(
        rng, builder, ("reticular_dermis",), max(1, round(area_um2 * 3.6e-6)), 44
    ):
        add_gland(rng, builder, centre, rng.uniform(34, 42))
    for centre in free_centres(
        rng, builder, ("reticular_dermis",), max(1, round(area_um2 * 3e-6)), 42
    ):
        add_muscle(rng, builder, centre, 150.0)
    _vessels(rng, builder, dermis, area_um2)


def _vessels(
    rng: np.random.Generator, builder: TissueBuilder, dermis: tuple[str, ...], area_um2: float
) -> None:
    large = free_centres(rng, builder, dermis, max(1, round(area_um2 * 1.3e-5)), 22)
    inflamed = large[: max(1, len(large) // 2)]
    _infiltrate(rng, builder, inflamed)
    for centre in large:
        add_vessel(rng, builder, centre, rng.uniform(8, 16))
    for centre in free_centres(rng, builder, dermis, max(2, round(area_um2 * 9e-5)), 9):
        add_vessel(rng, builder, centre, rng.uniform(2.6, 5.0))


def _infiltrate(rng: np.random.Generator, builder: TissueBuilder, centres_um: Points) -> None:
    x, y = builder.grid.centres()
    rough = smooth_noise(rng, builder.grid.shape, 24)
    dermis = builder.mask("papillary_dermis", "reticular_dermis")
    for centre in centres_um:
        reach = np.hypot(x - centre[0], y - centre[1]) - 7 * rough
        builder.paint("infiltrate", dermis & (reach < 42))


def _fibre_angle(rng: np.random.Generator, builder: TissueBuilder) -> Field:
    angle = 0.75 * smooth_noise(rng, builder.grid.shape, 90)
    angle[builder.mask("corneum")] = 0.0
    muscle = builder.mask("muscle")
    if muscle.any():
        angle[muscle] = np.mean(
            [frame["angle"].mean() for frame in builder.anchors if "muscle" in set(frame["niche"])]
        )
    return np.asarray(ndimage.gaussian_filter(angle, 2), dtype=np.float32)
