"""Cases on a real scan: its nuclei, found by other means than ours, become the DAPI side by a known map."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio import features
from scipy import ndimage
from skimage.color import rgb2hed
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_local, threshold_otsu
from skimage.segmentation import watershed

from cases.case import PIXEL_SIZE_UM, Case, write_case, write_he
from cases.looks import RGB, Look, damaged
from cases.simulated import linear_map, seen_by_dapi
from sthelar_build.core.resample import area_average
from sthelar_build.core.simulation.fields import stream
from sthelar_build.io.images.he import open_he
from sthelar_build.schema.frames import Affine, Frame

_AREA_UM2 = (12.0, 150.0)
_MIN_SOLIDITY, _MAX_ASPECT = 0.85, 3.0
_CORNER_UM = 20.0


@dataclass(frozen=True)
class ScanPlan:
    """Everything that a case on a scan depends on, but the scan."""

    seed: int
    quarter_turns: int = 0
    mirrored: bool = False
    angle_deg: float = 0.0
    um_per_px: float | None = None
    """Resampled to this; None keeps the pixels."""
    cropped: float = 1.0
    """Area of the H&E on that of the scan; the nuclei are those of the whole scan."""
    region: float = 1.0
    """Area of the region on that of the scan; the H&E is that of the whole scan."""
    tag_factor: float | None = 1.0
    look: Look = field(default_factory=Look)
    defects: tuple[str, ...] = ()
    dropped: float = 0.2
    jitter_um: float = 0.5
    false: float = 0.1

    @property
    def as_it_is(self) -> bool:
        """Whether the H&E is the file of the scan itself."""
        plain = self.um_per_px is None and self.cropped == 1 and self.tag_factor == 1
        return plain and self.look == Look() and not self.defects

    def traits(self) -> dict[str, Any]:
        """Return what the tables of results show of it."""
        return {"kind": "scan", **asdict(self)}


@dataclass(frozen=True, eq=False)
class Scan:
    """The pixels of a scan and its nuclei in pixels."""

    image: RGB
    um_per_px: float
    nuclei: NDArray[np.object_]


def make_scan_case(plan: ScanPlan, scan_path: Path, folder: Path) -> Case:
    """Make a case of a scan into a folder."""
    scan = read_scan(scan_path)
    um_per_px = plan.um_per_px or scan.um_per_px
    factor = um_per_px / scan.um_per_px
    left, top, width_px, height_px = _window(plan, scan.image.shape)
    size_px = int(width_px / factor), int(height_px / factor)
    if plan.as_it_is:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "he.svs").unlink(missing_ok=True)
        (folder / "he.svs").symlink_to(scan_path.resolve())
    else:
        image = area_average(scan.image, (left, top), (factor, factor), size_px[::-1])
        image = damaged(stream(plan.seed, "damage"), image, um_per_px, plan.defects)
        image = plan.look.applied(image, um_per_px)
        write_he(folder / "he.ome.tif", image, plan.tag_factor and um_per_px * plan.tag_factor)
    nuclei = _in_region(plan, scan)
    nuclei_he = shapely.transform(nuclei, lambda points: (points - [left, top]) / factor)
    he_to_morphology, geometry = _placed(plan, nuclei_he, um_per_px)
    um_to_he = Affine.scaling(1 / PIXEL_SIZE_UM, Frame.UM, Frame.MORPHOLOGY).then(
        he_to_morphology.inverse()
    )
    centroids_he = um_to_he.apply(shapely.get_coordinates(shapely.centroid(geometry)))
    return write_case(folder, he_to_morphology, size_px, geometry, centroids_he, plan.traits())


@lru_cache(maxsize=1)
def read_scan(path: Path) -> Scan:
    """Read a scan of a few million pixels and outline its nuclei."""
    with open_he(path) as image:
        rgb = image.read(0, 0, image.width_px, image.height_px)
        um_per_px = image.um_per_px
    if um_per_px is None:
        raise ValueError(f"{path}: expected a scan that states its pixel size")
    return Scan(rgb, um_per_px, outlined_nuclei(rgb, um_per_px))


def outlined_nuclei(image: RGB, um_per_px: float) -> NDArray[np.object_]:
    """Return polygons of nuclei in px: local threshold on haematoxylin, then a watershed of distances.

    Stain vectors, threshold and split are those of scikit-image (Ruifrok and Johnston 2001), so that a
    mistake of ours does not show on both sides.
    """
    stain = gaussian(rgb2hed(image)[..., 0], 0.5 / um_per_px)
    block_px = 2 * round(15 / um_per_px) + 1
    dark = (stain > threshold_local(stain, block_px)) & (stain > threshold_otsu(stain))
    dark = ndimage.binary_fill_holes(ndimage.binary_opening(dark, iterations=2))
    depth = gaussian(ndimage.distance_transform_edt(dark), 0.5 / um_per_px)
    peaks = peak_local_max(depth, min_distance=round(2.5 / um_per_px), labels=dark.astype(int))
    seeds = np.zeros(dark.shape, dtype=np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-depth, seeds, mask=dark).astype(np.int32)
    rings = [
        shapely.Polygon(shape["coordinates"][0])
        for shape, _ in features.shapes(labels, mask=labels > 0, connectivity=4)
    ]
    nuclei = shapely.simplify(np.asarray(rings, dtype=object), 0.7)
    return np.asarray(nuclei[_is_like_a_nucleus(nuclei, um_per_px)])


def _is_like_a_nucleus(shapes: NDArray[np.object_], um_per_px: float) -> NDArray[np.bool_]:
    """Leave flakes of keratin and specks of ink out: too large, too long, or ragged."""
    area = shapely.area(shapes)
    area_um2 = area * um_per_px**2
    smooth = area > _MIN_SOLIDITY * shapely.area(shapely.convex_hull(shapes))
    box = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(-1, 5, 2)
    sides = np.hypot(*np.diff(box[:, :3], axis=1).transpose(2, 0, 1))
    compact = sides.max(axis=1) < _MAX_ASPECT * sides.min(axis=1)
    fits = (area_um2 > _AREA_UM2[0]) & (area_um2 < _AREA_UM2[1])
    return np.asarray(shapely.is_valid(shapes) & fits & smooth & compact)


def _window(plan: ScanPlan, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the H&E on the scan, in px."""
    return _part(stream(plan.seed, "crop"), plan.cropped, shape)


def _part(
    rng: np.random.Generator, share: float, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    width_px, height_px = (int(side * np.sqrt(share)) for side in (shape[1], shape[0]))
    left, top = rng.integers(0, [shape[1] - width_px + 1, shape[0] - height_px + 1]).tolist()
    return left, top, width_px, height_px


def _in_region(plan: ScanPlan, scan: Scan) -> NDArray[np.object_]:
    left, top, width, height = _part(stream(plan.seed, "region"), plan.region, scan.image.shape)
    x, y = shapely.get_coordinates(shapely.centroid(scan.nuclei)).T
    inside = (x >= left) & (x < left + width) & (y >= top) & (y < top + height)
    return np.asarray(scan.nuclei[inside])


def _placed(
    plan: ScanPlan, nuclei_he: NDArray[np.object_], um_per_px: float
) -> tuple[Affine, NDArray[np.object_]]:
    """Return the map H&E -> morphology and what DAPI sees, in um, near the corner of its frame."""
    linear = linear_map(um_per_px, 90 * plan.quarter_turns + plan.angle_deg, mirrored=plan.mirrored)
    turned = shapely.transform(nuclei_he, lambda points: points @ linear.T)
    corner_um = shapely.total_bounds(turned)[:2] - _CORNER_UM
    at_corner = shapely.transform(turned, lambda points: points - corner_um)
    seen = seen_by_dapi(
        stream(plan.seed, "dapi"), at_corner, plan.dropped, plan.jitter_um, plan.false
    )
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = -corner_um
    matrix[:2] /= PIXEL_SIZE_UM
    return Affine(matrix, Frame.HE, Frame.MORPHOLOGY), seen


_KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"region": 0.5},
    {"um_per_px": 0.75},
    {"um_per_px": 1.0},
    {"cropped": 0.6},
    {"cropped": 0.6, "um_per_px": 0.75, "tag_factor": None},
    {"tag_factor": 0.92, "look": Look(gamma=1.25, brightness=0.9, tint=(0.95, 1.0, 1.08))},
    {"tag_factor": None, "look": Look(gamma=0.8, tint=(1.06, 0.95, 0.98), blur_um=0.8)},
    {"um_per_px": 1.0, "tag_factor": 1.08, "look": Look(gamma=1.15, tint=(1.0, 0.92, 1.0))},
    {"defects": ("fold", "tear"), "region": 0.7},
    {"defects": ("pen", "bubble"), "cropped": 0.7, "tag_factor": 1.09},
    {"region": 0.3, "tag_factor": None},
)


def scan_plans(seed: int = 30) -> dict[str, ScanPlan]:
    """Return the plans of cases on a scan, by name; all eight orientations occur."""
    rng = np.random.default_rng(seed)
    return {
        f"scan{number:02d}": ScanPlan(
            seed=2000 + number,
            quarter_turns=number % 4,
            mirrored=number % 8 >= 4,
            angle_deg=round(rng.uniform(-45, 45), 2),
            **kind,
        )
        for number, kind in enumerate(_KINDS)
    }
