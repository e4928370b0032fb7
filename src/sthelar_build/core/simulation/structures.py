"""Structures with cells in fixed places: vessels, ducts, glands, fat, muscle bundles."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from sthelar_build.core.simulation.tissue import NO_CELLS, Niche, TissueBuilder

Points = NDArray[np.float64]
_VERTICES = 48

VESSEL_NICHE = Niche("vessel", NO_CELLS, {}, eosin=0.50, fibrous=0.3, clefts=0.03)
"""What ``add_vessel`` paints, in every tissue."""
FAT_NICHE = Niche("fat", NO_CELLS, {}, eosin=0.34, fibrous=0.3, clefts=0.0)
"""What ``add_fat`` paints, in every tissue."""


def free_centres(
    rng: np.random.Generator,
    builder: TissueBuilder,
    niches: tuple[str, ...],
    count: int,
    clearance_um: float,
) -> Points:
    """Return up to ``count`` points (n, 2) in um, ``clearance_um`` inside ``niches`` and twice that apart."""
    grid = builder.grid
    room = ndimage.distance_transform_edt(builder.mask(*niches)) * grid.step_um
    rows, columns = np.nonzero(room > clearance_um)
    order = rng.permutation(len(rows))[: 40 * count]
    found: list[Points] = []
    for row, column in zip(rows[order], columns[order], strict=True):
        point = np.array(
            [grid.left_um + (column + 0.5) * grid.step_um, grid.top_um + (row + 0.5) * grid.step_um]
        )
        if all(np.hypot(*(point - other)) > 2 * clearance_um for other in found):
            found.append(point)
        if len(found) == count:
            break
    return np.array(found, dtype=np.float64).reshape(-1, 2)


class WobblyEllipse:
    """A closed curve around a centre: an ellipse whose radius wavers slowly."""

    def __init__(
        self, rng: np.random.Generator, centre_um: Points, radius_um: float, stretch: float
    ) -> None:
        self._centre = centre_um
        self._half_axes = np.array([radius_um * np.sqrt(stretch), radius_um / np.sqrt(stretch)])
        self._tilt = rng.uniform(0, np.pi)
        self._phases = rng.uniform(0, 2 * np.pi, 3)
        self._amplitudes = rng.normal(0, 0.035, 3)

    def points(self, theta: Points, offset_um: float = 0.0) -> Points:
        """Return the points (n, 2) at angles ``theta`` on the curve, moved outwards by ``offset_um``."""
        waver = 1 + sum(
            amplitude * np.cos((k + 2) * theta + phase)
            for k, (amplitude, phase) in enumerate(zip(self._amplitudes, self._phases, strict=True))
        )
        half = np.maximum(self._half_axes * np.asarray(waver)[:, None] + offset_um, 0.5)
        x, y = half[:, 0] * np.cos(theta), half[:, 1] * np.sin(theta)
        cos, sin = np.cos(self._tilt), np.sin(self._tilt)
        return np.asarray(self._centre + np.stack([x * cos - y * sin, x * sin + y * cos], axis=1))

    def polygon(self, offset_um: float = 0.0) -> shapely.Polygon:
        """Return the area inside the curve moved outwards by ``offset_um``."""
        return shapely.Polygon(
            self.points(np.linspace(0, 2 * np.pi, _VERTICES, endpoint=False), offset_um)
        )

    def ring(
        self, rng: np.random.Generator, offset_um: float, spacing_um: float
    ) -> tuple[Points, Points]:
        """Return points about ``spacing_um`` apart on the moved curve, and the direction along it at each."""
        theta = np.linspace(0, 2 * np.pi, 721)
        curve = self.points(theta, offset_um)
        length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
        count = max(2, round(float(length[-1]) / spacing_um))
        at = (np.arange(count) + rng.uniform(-0.18, 0.18, count) + rng.uniform()) % count
        place = np.interp(at / count * length[-1], length, theta)
        ahead = self.points(place + 0.02, offset_um) - self.points(place - 0.02, offset_um)
        return self.points(place, offset_um), np.arctan2(ahead[:, 1], ahead[:, 0])


def add_vessel(
    rng: np.random.Generator, builder: TissueBuilder, centre_um: Points, radius_um: float
) -> None:
    """Put a blood vessel: a lumen, a ring of flat endothelium, and a ring of pericytes or muscle."""
    curve = WobblyEllipse(rng, centre_um, radius_um, rng.uniform(1.0, 1.8))
    builder.paint_polygon("vessel", curve.polygon(9.0 if radius_um > 12 else 6.5))
    builder.vessels.append(curve.polygon())
    points, along = curve.ring(rng, 1.6, 10.5)
    builder.anchor(points, "Endothelial", "vessel", along)
    if radius_um > 12:
        points, along = curve.ring(rng, 6.2, 10.5)
        builder.anchor(points, "Smooth_muscle", "vessel", along)
    points, along = curve.ring(rng, 5.0 if radius_um <= 12 else 10.0, 19.0)
    builder.anchor(points, "Pericyte", "vessel", along)


def add_duct(
    rng: np.random.Generator, builder: TissueBuilder, centre_um: Points, radius_um: float
) -> None:
    """Put a mammary duct: basal cells outside, layers of luminal cells, and a lumen if there is room."""
    curve = WobblyEllipse(rng, centre_um, radius_um, rng.uniform(1.0, 1.5))
    builder.paint_polygon("duct", curve.polygon(1.5))
    points, along = curve.ring(rng, -2.6, 10.0)
    builder.anchor(points, "mammary_basal", "duct", along)
    depth = 9.5
    while radius_um - depth > 7:
        points, along = curve.ring(rng, -depth, 8.8)
        dividing = rng.random(len(points)) < 0.1
        labels = np.where(dividing, "proliferating_mammary_luminal", "mammary_luminal")
        builder.anchor(points, labels, "duct", along + np.pi / 2)
        depth += 9.0
        if depth > 22:
            break
    if radius_um - depth > 4:
        builder.cavities.append(curve.polygon(-depth + 3.5))


def add_gland(
    rng: np.random.Generator, builder: TissueBuilder, centre_um: Points, radius_um: float
) -> None:
    """Put the coil of a sweat gland: cross-sections of one tube, packed within ``radius_um``."""
    turns = max(1, round((radius_um / 17) ** 2 * 0.8))
    angle = np.arange(turns) * np.pi * (3 - np.sqrt(5)) + rng.uniform(0, np.pi)
    distance = radius_um * 0.85 * np.sqrt((np.arange(turns) + 0.35) / turns)
    for direction, reach in zip(angle, distance, strict=True):
        centre = centre_um + reach * np.array([np.cos(direction), np.sin(direction)])
        curve = WobblyEllipse(rng, centre, 12.0 * rng.uniform(0.9, 1.1), rng.uniform(1.0, 1.35))
        builder.paint_polygon("gland", curve.polygon(2.0))
        builder.cavities.append(curve.polygon(-8.0))
        points, along = curve.ring(rng, -3.6, 7.6)
        builder.anchor(points, "secretory", "gland", along)
        points, along = curve.ring(rng, 1.6, 15.0)
        builder.anchor(points, "Myofibroblast", "gland", along)


def add_fat(
    rng: np.random.Generator, builder: TissueBuilder, where: NDArray[np.bool_], diameter_um: float
) -> None:
    """Fill a mask (y, x) of the grid with adipocytes: one droplet each, the nucleus pressed to its rim."""
    left, top, right, bottom = builder.grid.bounds_um
    centres = hexagonal(rng, (left, top, right, bottom), diameter_um, jitter=0.16)
    cells = np.asarray(
        shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(centres))), dtype=object
    )
    cells = cells[builder.grid.at(where, shapely.get_coordinates(shapely.centroid(cells)))]
    droplets = shapely.buffer(shapely.buffer(cells, -6.0), 4.6, quad_segs=4)
    large = shapely.area(droplets) > 150
    droplets = droplets[large]
    for cell in cells[large]:
        builder.paint_polygon("fat", cell)
    first = len(builder.vacuoles)
    builder.vacuoles.extend(droplets)
    place = rng.uniform(0, 1, len(droplets))
    rims = shapely.get_exterior_ring(shapely.buffer(droplets, 1.1))
    points = shapely.get_coordinates(shapely.line_interpolate_point(rims, place, normalized=True))
    ahead = shapely.get_coordinates(
        shapely.line_interpolate_point(rims, (place + 0.01) % 1, normalized=True)
    )
    along = np.arctan2(*(ahead - points).T[::-1])
    builder.anchor(points, "Adipocyte", "fat", along, first + np.arange(len(points)))


def add_muscle(
    rng: np.random.Generator, builder: TissueBuilder, centre_um: Points, length_um: float
) -> float:
    """Put a bundle of smooth muscle, and return the direction of its fibres in radians."""
    angle = float(rng.uniform(-0.7, -0.3))
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    width_um = length_um * 0.22
    u = hexagonal(rng, (-length_um / 2, -width_um, length_um / 2, width_um), 9.0, jitter=0.2)
    u = u[np.hypot(u[:, 0] / (length_um / 2), u[:, 1] / (width_um / 2)) < 1]
    u[:, 0] *= 1.25
    bundle = shapely.Point(0, 0).buffer(1, quad_segs=16)
    outline = np.asarray(bundle.exterior.coords) * [length_um * 0.66, width_um * 0.58]
    builder.paint_polygon(
        "muscle", shapely.Polygon(centre_um + outline @ np.stack([along, across]))
    )
    points = centre_um + u @ np.stack([along, across])
    builder.anchor(points, "Smooth_muscle", "muscle", angle + rng.normal(0, 0.08, len(points)))
    return angle


def hexagonal(
    rng: np.random.Generator,
    bounds_um: tuple[float, float, float, float],
    spacing_um: float,
    jitter: float,
) -> Points:
    """Return a hexagonal lattice over bounds, each point moved by ``jitter`` spacings (deviation)."""
    left, top, right, bottom = bounds_um
    rows = np.arange(top, bottom + spacing_um, spacing_um * np.sqrt(3) / 2)
    columns = np.arange(left, right + spacing_um, spacing_um)
    x, y = np.meshgrid(columns, rows)
    x = x + (np.arange(len(rows)) % 2)[:, None] * spacing_um / 2
    lattice = np.stack([x.ravel(), y.ravel()], axis=1)
    return lattice + rng.normal(0, jitter * spacing_um, lattice.shape)


def apart(points_um: Points, others_um: Points, distance_um: float | Points) -> NDArray[np.bool_]:
    """Return which points are farther than ``distance_um`` from all others."""
    if len(others_um) == 0 or len(points_um) == 0:
        return np.ones(len(points_um), dtype=bool)
    nearest, _ = cKDTree(others_um).query(points_um)
    return np.asarray(nearest > distance_um)
