"""Simulated slides of every orientation, resolution, overlap, look and defect, with the truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from cases.case import PIXEL_SIZE_UM, Case, write_case, write_he
from cases.distortion import Displacement, distorted, seam, waves
from cases.looks import Look, damaged
from sthelar_build.core.simulation.breast import breast_cancer
from sthelar_build.core.simulation.fields import smooth_noise, stream
from sthelar_build.core.simulation.he import render_he
from sthelar_build.core.simulation.population import Population, populate
from sthelar_build.core.simulation.recipe import Recipe, TissueName
from sthelar_build.core.simulation.simulate import PAD_UM
from sthelar_build.core.simulation.skin import skin
from sthelar_build.core.simulation.tissue import GLASS, Tissue
from sthelar_build.schema.frames import Affine, Frame

_LAYOUTS = {"breast_cancer": breast_cancer, "skin": skin}
_MARGIN_UM = 30.0
_DISTORTION_UM, _JUMP_UM, _SEAM_UM = 10.0, 6.0, 100.0


@dataclass(frozen=True)
class Plan:
    """Everything that a simulated case depends on."""

    seed: int
    tissue: TissueName = "breast_cancer"
    region_um: tuple[float, float] = (600.0, 600.0)
    """Width and height of what the instrument saw."""
    overlap: Literal["exact", "larger", "smaller"] = "exact"
    """larger: an island of tissue of which the region is a part; smaller: the H&E is a part of the region."""
    share: float = 1.0
    """Area of the region on that of the tissue (larger), or of the H&E on that of the region (smaller)."""
    quarter_turns: int = 0
    mirrored: bool = False
    angle_deg: float = 0.0
    """On top of the quarter turns."""
    anisotropy: float = 0.0
    shear: float = 0.0
    um_per_px: float = 0.35
    tag_factor: float | None = 1.0
    """Stated on true pixel size; None where the file states none."""
    stain_variation: float = 0.5
    look: Look = field(default_factory=Look)
    defects: tuple[str, ...] = ()
    """fold, tear, pen and bubble on the H&E; empty: a part of the region is glass."""
    dropped: float = 0.1
    jitter_um: float = 0.3
    false: float = 0.03
    """Shares of the nuclei that DAPI misses, misplaces at random, and adds."""
    distortion: Literal["none", "waves", "seam"] = "none"

    def traits(self) -> dict[str, Any]:
        """Return what the tables of results show of it."""
        return {"kind": "simulated", **asdict(self)}


@dataclass(frozen=True)
class _Section:
    """A tissue with its cells, and the region in it (left, top, right, bottom) in um."""

    tissue: Tissue
    population: Population
    region: tuple[float, float, float, float]


def make_simulated(plan: Plan, folder: Path) -> Case:
    """Draw a case into a folder."""
    section = _section(plan)
    moved = _displacement(plan, section)
    um_from_he, size_px = _canvas(plan, section)
    tissue, population = distorted(section.tissue, section.population, moved)
    image = render_he(
        plan.seed, tissue, population, um_from_he, size_px[::-1], plan.stain_variation
    )
    image = damaged(stream(plan.seed, "damage"), image, plan.um_per_px, plan.defects)
    image = plan.look.applied(image, plan.um_per_px)
    stated = plan.tag_factor and plan.um_per_px * plan.tag_factor
    write_he(folder / "he.ome.tif", image, stated)
    geometry = seen_by_dapi(
        stream(plan.seed, "dapi"),
        _in_region(section),
        plan.dropped,
        plan.jitter_um,
        plan.false,
    )
    on_slide = moved(shapely.get_coordinates(shapely.centroid(geometry)))
    corner_um = np.array(section.region[:2])
    return write_case(
        folder,
        _he_to_morphology(um_from_he, corner_um),
        size_px,
        shapely.transform(geometry, lambda points: points - corner_um),
        um_from_he.inverse().apply(on_slide),
        plan.traits(),
    )


def seen_by_dapi(
    rng: np.random.Generator,
    nuclei: NDArray[np.object_],
    dropped: float,
    jitter_um: float,
    false: float,
) -> NDArray[np.object_]:
    """Return nuclei as another stain and another segmentation have them, all within the same bounds."""
    left, top, right, bottom = shapely.total_bounds(nuclei)
    kept = nuclei[rng.random(len(nuclei)) >= dropped]
    shift = rng.normal(0, jitter_um, (len(kept), 2))
    kept = _shifted(kept, shift)
    copies = kept[rng.integers(len(kept), size=round(false * len(kept)))]
    places = rng.uniform((left, top), (right, bottom), (len(copies), 2))
    added = _shifted(copies, places - shapely.get_coordinates(shapely.centroid(copies)))
    seen = np.concatenate([kept, added])
    bounds = shapely.bounds(seen)
    inside = (bounds[:, :2] >= (left, top)).all(axis=1) & (bounds[:, 2:] <= (right, bottom)).all(
        axis=1
    )
    return np.asarray(seen[inside])


def _shifted(shapes: NDArray[np.object_], by_um: NDArray[np.float64]) -> NDArray[np.object_]:
    per_vertex = np.repeat(by_um, shapely.get_num_coordinates(shapes), axis=0)
    moved = shapes.copy()
    return np.asarray(shapely.set_coordinates(moved, shapely.get_coordinates(moved) + per_vertex))


def _section(plan: Plan) -> _Section:
    width_um, height_um = plan.region_um
    enlarged = 1 / np.sqrt(plan.share) if plan.overlap == "larger" else 1.0
    margin_um = 60.0 if plan.overlap == "smaller" else 0.0
    size_um = width_um * enlarged + 2 * margin_um, height_um * enlarged + 2 * margin_um
    recipe = Recipe(seed=plan.seed, tissue=plan.tissue, width_um=size_um[0], height_um=size_um[1])
    bare = 0.4 if "empty" in plan.defects else 0.06
    tissue = _LAYOUTS[plan.tissue](stream(plan.seed, "tissue"), *size_um, bare, PAD_UM)
    if plan.overlap == "larger":
        tissue = _island(stream(plan.seed, "island"), tissue)
    room = np.array(size_um) - 2 * margin_um - plan.region_um
    left, top = margin_um + room * stream(plan.seed, "region").uniform(0.3, 0.7, 2)
    region = left, top, left + width_um, top + height_um
    return _Section(tissue, populate(tissue, recipe), region)


def _island(rng: np.random.Generator, tissue: Tissue) -> Tissue:
    """Return the tissue with a rounded, ragged outline; all else is glass."""
    x, y = tissue.grid.centres()
    left, top, right, bottom = tissue.grid.bounds_um
    reach = np.hypot(
        2 * (x - (left + right) / 2) / (right - left),
        2 * (y - (top + bottom) / 2) / (bottom - top),
    )
    wavy = smooth_noise(rng, tissue.grid.shape, 250) + 0.2 * smooth_noise(
        rng, tissue.grid.shape, 40
    )
    glass = reach + 0.08 * wavy > 1.02
    niche = np.where(glass, np.uint8(tissue.index(GLASS)), tissue.niche)
    anchors = tissue.anchors[~tissue.grid.at(glass, tissue.anchors[["x_um", "y_um"]].to_numpy())]
    on_tissue = ~ndimage.binary_dilation(glass, iterations=5)
    lumens = {
        name: tuple(
            shape
            for shape in getattr(tissue, name)
            if tissue.grid.at(on_tissue, np.array(shape.centroid.coords))[0]
        )
        for name in ("vessels", "cavities")
    }
    return replace(tissue, niche=niche, anchors=anchors.reset_index(drop=True), **lumens)


def _displacement(plan: Plan, section: _Section) -> Displacement:
    rng = stream(plan.seed, "distortion")
    left, top, right, bottom = section.region
    middle_um = np.array([left + right, top + bottom]) / 2
    kinds: dict[str, Displacement] = {
        "none": lambda points: points,
        "waves": waves(rng, _DISTORTION_UM),
        "seam": seam(rng, middle_um, _JUMP_UM, _SEAM_UM),
    }
    return kinds[plan.distortion]


def _canvas(plan: Plan, section: _Section) -> tuple[Affine, tuple[int, int]]:
    """Return the map H&E px -> um of the tissue, and (width, height) of the H&E in px."""
    linear = linear_map(
        plan.um_per_px,
        90 * plan.quarter_turns + plan.angle_deg,
        mirrored=plan.mirrored,
        anisotropy=plan.anisotropy,
        shear=plan.shear,
    )
    bounds_um = section.tissue.grid.bounds_um if plan.overlap == "larger" else section.region
    corners = np.array(shapely.box(*bounds_um).exterior.coords)
    size_px = np.ptp(corners @ np.linalg.inv(linear).T, axis=0) + 2 * _MARGIN_UM / plan.um_per_px
    middle_um = corners[:4].mean(axis=0)
    if plan.overlap == "smaller":
        width_um, height_um = plan.region_um
        side_um = np.sqrt(plan.share * width_um * height_um)
        stretch = stream(plan.seed, "crop").uniform(0.85, 1.15)
        size_px = np.array([side_um * stretch, side_um / stretch]) / plan.um_per_px
        middle_um = middle_um + stream(plan.seed, "crop").uniform(-0.06, 0.06, 2) * plan.region_um
    elif plan.overlap == "exact":
        middle_um = middle_um + stream(plan.seed, "crop").uniform(-12, 12, 2)
    width_px, height_px = np.ceil(size_px).astype(int).tolist()
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = middle_um - linear @ [width_px / 2, height_px / 2]
    return Affine(matrix, Frame.HE, Frame.UM), (width_px, height_px)


def linear_map(
    um_per_px: float,
    angle_deg: float,
    *,
    mirrored: bool,
    anisotropy: float = 0.0,
    shear: float = 0.0,
) -> NDArray[np.float64]:
    """Return the (2, 2) map H&E px -> um: stretched, mirrored in y if asked, turned, scaled."""
    angle = np.deg2rad(angle_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    flip = np.diag([1.0, -1.0 if mirrored else 1.0])
    stretch = np.array([[1 + anisotropy / 2, shear], [0, 1 - anisotropy / 2]])
    turned = np.array([[cos, -sin], [sin, cos]]) @ flip @ stretch
    return np.asarray(um_per_px * turned / np.sqrt(abs(np.linalg.det(turned))))


def _in_region(section: _Section) -> NDArray[np.object_]:
    bounds = shapely.bounds(section.population.nuclei)
    left, top, right, bottom = section.region
    inside = (bounds[:, :2] >= (left, top)).all(axis=1) & (bounds[:, 2:] <= (right, bottom)).all(
        axis=1
    )
    return np.asarray(section.population.nuclei[inside])


def _he_to_morphology(um_from_he: Affine, corner_um: NDArray[np.float64]) -> Affine:
    matrix = um_from_he.matrix.copy()
    matrix[:2, 2] -= corner_um
    matrix[:2] /= PIXEL_SIZE_UM
    return Affine(matrix, Frame.HE, Frame.MORPHOLOGY)


_SCALES = (0.2, 0.25, 0.2738, 0.35, 0.5, 0.75, 1.0)
_DEFECTS: tuple[tuple[str, ...], ...] = (
    (),
    ("fold",),
    ("tear",),
    ("empty",),
    ("pen",),
    ("bubble",),
    ("fold", "tear"),
    ("fold", "pen", "bubble"),
)
_LARGE_UM = 2000.0
_FINE_UM_PER_PX = 0.3
"""Finer slides are kept below 800 um, so that drawing them stays cheap."""


def simulated_plans(n: int = 48, seed: int = 20) -> dict[str, Plan]:
    """Return plans by name: each trait takes each of its values about equally often, in random company.

    The first 56 differ in the pair of orientation and pixel size.
    """
    rng = np.random.default_rng(seed)
    tissue = _balanced(rng, ("breast_cancer", "skin"), n)
    overlap = _balanced(rng, ("exact", "larger", "larger", "smaller"), n)
    tag = _balanced(rng, ("right", "absent", "wrong"), n)
    defects = _balanced(rng, _DEFECTS, n)
    affine = _balanced(rng, (True, False, False), n)
    return {
        f"sim{number:02d}": _plan(
            np.random.default_rng([seed, number]),
            number,
            {"tissue": tissue[number], "overlap": overlap[number], "defects": defects[number]},
            tag[number],
            sheared=affine[number],
        )
        for number in range(n)
    }


def distorted_plans() -> dict[str, Plan]:
    """Return the plans of sections that are not flat, by name."""
    ready = partial(Plan, region_um=(_LARGE_UM, _LARGE_UM), um_per_px=0.5, angle_deg=12.0)
    return {
        "waves0": ready(seed=901, distortion="waves", quarter_turns=1),
        "waves1": ready(seed=902, distortion="waves", mirrored=True, tissue="skin"),
        "seam0": ready(seed=903, distortion="seam", quarter_turns=2),
    }


def _balanced(rng: np.random.Generator, values: tuple[Any, ...], n: int) -> list[Any]:
    order = rng.permutation(np.arange(n) % len(values))
    return [values[index] for index in order]


def _plan(
    rng: np.random.Generator, number: int, given: dict[str, Any], tag: str, *, sheared: bool
) -> Plan:
    um_per_px = _SCALES[number % len(_SCALES)]
    larger = given["overlap"] == "larger"
    share = {"exact": 1.0, "larger": rng.uniform(0.3, 0.6), "smaller": rng.uniform(0.56, 0.8)}
    wrong = 1 + rng.choice([-1, 1]) * rng.uniform(0.02, 0.10)
    most_um = 750 if um_per_px < _FINE_UM_PER_PX else 900 if larger else 1200
    side_um = rng.uniform(600, most_um, 2).round(1)
    if um_per_px >= 1.0 and number % 2:
        side_um = np.full(2, _LARGE_UM * (0.7 if larger else 1.0))
    return Plan(
        seed=1000 + number,
        region_um=(float(side_um[0]), float(side_um[1])),
        share=round(float(share[given["overlap"]]), 3),
        quarter_turns=number % 4,
        mirrored=number % 8 >= 4,
        angle_deg=round(rng.uniform(-45, 45), 2),
        anisotropy=round(rng.uniform(-0.01, 0.01), 4) if sheared else 0.0,
        shear=round(rng.uniform(-0.01, 0.01), 4) if sheared else 0.0,
        um_per_px=um_per_px,
        tag_factor={"right": 1.0, "absent": None, "wrong": round(float(wrong), 4)}[tag],
        stain_variation=round(rng.uniform(0, 1), 2),
        look=Look.drawn(rng),
        dropped=round(rng.uniform(0.10, 0.25), 3),
        jitter_um=round(rng.uniform(0.3, 0.7), 3),
        false=round(rng.uniform(0.02, 0.08), 3),
        **given,
    )
