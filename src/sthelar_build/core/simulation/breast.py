"""A breast carcinoma: nests and ducts in a stroma with lymphoid aggregates, vessels and fat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sthelar_build.core.simulation.fields import Field, layered_noise, smooth_noise
from sthelar_build.core.simulation.grid import Grid
from sthelar_build.core.simulation.structures import (
    FAT_NICHE,
    VESSEL_NICHE,
    add_duct,
    add_fat,
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

_STROMAL_IMMUNE = {"Macrophage": 0.10, "T": 0.06, "T_CD8": 0.06, "DC": 0.035, "Mast": 0.04}

_NICHES = (
    GLASS_NICHE,
    Niche(
        "stroma",
        13.5,
        {"Fibroblast": 0.62, "Plasma": 0.03, "Treg": 0.02, **_STROMAL_IMMUNE},
        eosin=0.55,
        fibrous=0.8,
        clefts=0.22,
    ),
    Niche(
        "tumour_stroma",
        11.0,
        {"CAF": 0.50, "Myofibroblast": 0.12, "Treg": 0.05, "NK": 0.05, **_STROMAL_IMMUNE},
        eosin=0.48,
        fibrous=0.7,
        clefts=0.14,
    ),
    Niche(
        "tumour",
        10.6,
        {
            "mammary_luminal": 0.75,
            "proliferating_mammary_luminal": 0.17,
            "Macrophage": 0.03,
            "T_CD8": 0.03,
            "NK": 0.02,
        },
        eosin=0.22,
        fibrous=0.1,
        clefts=0.02,
    ),
    Niche(
        "lymphoid",
        7.1,
        {"B": 0.50, "T": 0.22, "T_CD8": 0.10, "Treg": 0.06, "DC": 0.05, "Plasma": 0.07},
        eosin=0.16,
        fibrous=0.3,
        clefts=0.05,
    ),
    Niche(
        "plasma_rim",
        8.4,
        {"Plasma": 0.50, "T": 0.15, "B": 0.15, "Macrophage": 0.10, "Fibroblast": 0.10},
        eosin=0.30,
        fibrous=0.5,
        clefts=0.10,
    ),
    Niche("duct", NO_CELLS, {}, eosin=0.24, fibrous=0.1, clefts=0.0),
    VESSEL_NICHE,
    FAT_NICHE,
)


def breast_cancer(
    rng: np.random.Generator,
    width_um: float,
    height_um: float,
    off_tissue_share: float,
    pad_um: float,
) -> Tissue:
    """Lay out a breast carcinoma over the region and ``pad_um`` around it; glass lies at the bottom."""
    grid = Grid.around(width_um, height_um, pad_um)
    builder = TissueBuilder.filled(grid, _NICHES, "stroma")
    _, y = grid.centres()
    rough = layered_noise(rng, grid.shape, [20, 60])
    glass = y > height_um * (1 - off_tissue_share) + 5 * rough
    lay_glass(builder, glass if off_tissue_share > 0 else np.zeros_like(glass), rough)
    add_fat(rng, builder, _fat_corner(rng, builder, 0.34 * min(width_um, height_um)), 37.0)
    _nests(rng, builder)
    _lymphoid(rng, builder, width_um * height_um)
    _ducts_and_vessels(rng, builder, width_um * height_um)
    return builder.build(_fibre_angle(rng, builder))


def _fat_corner(
    rng: np.random.Generator, builder: TissueBuilder, radius_um: float
) -> NDArray[np.bool_]:
    x, y = builder.grid.centres()
    left, top, *_ = builder.grid.bounds_um
    reach = np.hypot(x - left, y - top) - 12 * smooth_noise(rng, builder.grid.shape, 70)
    return np.asarray((reach < radius_um + 40) & builder.mask("stroma"))


def _nests(rng: np.random.Generator, builder: TissueBuilder) -> None:
    room = builder.mask("stroma") & ~ndimage.binary_dilation(builder.mask("fat"), iterations=10)
    if not room.any():
        return
    field = layered_noise(rng, builder.grid.shape, [18, 90])
    nests = room & (field > np.quantile(field[room], 0.60))
    nests = ndimage.binary_opening(nests, iterations=5)
    around = ndimage.distance_transform_edt(~nests) < 26 / builder.grid.step_um
    builder.paint("tumour_stroma", around & room)
    builder.paint("tumour", nests)


def _lymphoid(rng: np.random.Generator, builder: TissueBuilder, area_um2: float) -> None:
    count = max(1, round(area_um2 * 5e-6))
    places = free_centres(rng, builder, ("stroma", "tumour_stroma", "tumour"), count, 45)
    x, y = builder.grid.centres()
    rough = smooth_noise(rng, builder.grid.shape, 30)
    for centre in places:
        reach = np.hypot(x - centre[0], (y - centre[1]) * 1.2) - 5 * rough
        cells = ~builder.mask(GLASS, "fat")
        builder.paint("plasma_rim", (reach < 58) & cells)
        builder.paint("lymphoid", (reach < 42) & cells)


def _ducts_and_vessels(rng: np.random.Generator, builder: TissueBuilder, area_um2: float) -> None:
    for centre in free_centres(
        rng, builder, ("stroma", "tumour_stroma", "tumour"), max(1, round(area_um2 * 1.1e-5)), 46
    ):
        add_duct(rng, builder, centre, rng.uniform(24, 40))
    for centre in free_centres(
        rng, builder, ("stroma", "tumour_stroma"), max(1, round(area_um2 * 1.2e-5)), 22
    ):
        add_vessel(rng, builder, centre, rng.uniform(9, 17))
    for centre in free_centres(
        rng, builder, ("stroma", "tumour_stroma"), max(2, round(area_um2 * 7e-5)), 9
    ):
        add_vessel(rng, builder, centre, rng.uniform(2.6, 5.5))


def _fibre_angle(rng: np.random.Generator, builder: TissueBuilder) -> Field:
    solid = builder.mask("tumour", "duct", "lymphoid", "vessel")
    distance = ndimage.gaussian_filter(
        np.minimum(ndimage.distance_transform_edt(~solid), 60).astype(np.float32), 4
    )
    height = 1.6 * smooth_noise(rng, builder.grid.shape, 260) * 40 + distance
    down, right = np.gradient(ndimage.gaussian_filter(height, 3))
    return np.asarray(np.arctan2(right, -down).astype(np.float32))
