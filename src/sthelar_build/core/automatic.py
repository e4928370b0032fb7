"""Finding the place of the nuclei on the H&E unattended: all orientations coarsely, the best ones exactly."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.constellation import RADIUS_UM, DiscMap, centres_of_discs
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.orientation import (
    SIZE_STEP,
    CoarseMap,
    Pose,
    Trial,
    bands,
    distinct,
    sizes_between,
    trials,
)
from sthelar_build.core.overview import CLUMPS_UM, SPOTS_UM, Overview
from sthelar_build.core.polish import Mapper, Polished, Step, coarse_steps, fine_steps, polish
from sthelar_build.core.registration import Image, Window
from sthelar_build.schema.frames import Affine, Frame

_MAX_OVERVIEW_PX = 640
"""Longer side of the H&E in it: where it shows far more than the region, the maps become coarser."""
OVERVIEW_UM = 2.0
"""Pixel of the overview, which is kept in memory: about 1 byte for 4 um2 of H&E."""
_STEP_DEG = 5.0
_MAX_DISC_SEARCH_PX = 5_000_000
"""Overviews above this size (about 4 x 4 mm) are searched by density first and last: discs would take hours."""
_USUAL_UM_PER_PX = 0.25
_DISCS = 6
_POSES_OF_A_DISC = 6
_LEAST_AGREEING, _LEAST_SHARE = 4, 0.3
_GROWTH = Step(OVERVIEW_UM, 96, 24, 60, 4.0, 0.08)
_CANDIDATES = 30
_MAX_ANISOTROPY = 1.08
_FINALISTS = 3
_WINDOWS = 200


class HeView(Protocol):
    """What the search needs to see of the H&E."""

    def overview(self, um_per_px: float, around_um: float) -> Overview:
        """Return the nuclei of the whole image at ``OVERVIEW_UM``, if level 0 has this pixel size."""

    def haematoxylin(self, window: Window, um_to_he: Affine) -> Image:
        """Return the haematoxylin on a window."""


class _Look(NamedTuple):
    """One way to look at the H&E in the search over orientations."""

    around_um: float
    nuclei_px: int
    """Longer side of the map of the nuclei."""
    step_deg: float
    size_step: float


_LOOKS = (
    _Look(SPOTS_UM, 128, _STEP_DEG, SIZE_STEP),
    _Look(CLUMPS_UM, 128, _STEP_DEG, SIZE_STEP),
)
"""From the cheapest; the next one is taken only where the one before shows nothing for sure."""


class _Candidate(NamedTuple):
    pose: Pose
    overview: Overview
    coarse_um: float
    """Size of the pixels of the search that found it."""


def find_place(
    nuclei: NucleusMap, he: HeView, sizes_um_per_px: tuple[float, float], mapper: Mapper = map
) -> Polished | None:
    """Return the best place of the nuclei on the H&E, or None if nothing speaks for any.

    Parameters
    ----------
    nuclei
        Of the whole slide.
    he
        The image.
    sizes_um_per_px
        The least and the largest size of a level-0 pixel that are tried.
    mapper
        ``map``, or its like with threads.

    Notes
    -----
    Whether it is right is for the tiles to say (``core.drift``, ``core.verdict``): of a slide that is not the one
    of the nuclei the best place is returned too.
    """
    finalists: list[Polished] = []
    for rough in _rough_places(nuclei, he, sizes_um_per_px, mapper):
        finalists.append(rough)
        if rough.is_sure:
            exact = _exact(nuclei, rough, he, mapper)
            if exact.is_sure and _is_plausible(exact):
                return exact
    finalists.sort(key=lambda found: -found.support)
    exact_ones = [_exact(nuclei, rough, he, mapper) for rough in finalists[:_FINALISTS]]
    plausible = [found for found in exact_ones if _is_plausible(found)]
    best = max(plausible, key=lambda found: found.support, default=None)
    return best if best and best.support else None


def _is_plausible(found: Polished) -> bool:
    """Return whether a map stretches no more one way than the other than sections do."""
    stretch = np.linalg.svd(found.um_to_he.matrix[:2, :2], compute_uv=False)
    return bool(stretch[0] <= _MAX_ANISOTROPY * stretch[1])


def _rough_places(
    nuclei: NucleusMap, he: HeView, sizes_um_per_px: tuple[float, float], mapper: Mapper
) -> Iterator[Polished]:
    """Yield places of the whole slide, good to a few um if they are right; the likeliest way to find one first."""
    for sizes in sorted(bands(sizes_between(*sizes_um_per_px)), key=_how_unusual):
        middle_um = float(np.sqrt(sizes[0] * sizes[-1]))
        overview = he.overview(middle_um, SPOTS_UM)
        if overview.spots.size <= _MAX_DISC_SEARCH_PX:
            yield from _by_discs(nuclei, overview, middle_um, trials(sizes, _STEP_DEG), mapper)
    for candidate in _candidates(nuclei, he, sizes_um_per_px, mapper):
        yield _rough(nuclei, candidate, mapper)


def _how_unusual(sizes_um_per_px: list[float]) -> float:
    return abs(float(np.log(sizes_um_per_px[0] * sizes_um_per_px[-1] / _USUAL_UM_PER_PX**2)))


def _by_discs(
    nuclei: NucleusMap,
    overview: Overview,
    um_per_px: float,
    ways: list[Trial],
    mapper: Mapper,
) -> Iterator[Polished]:
    search = DiscMap(overview, um_per_px)
    for centre_um in centres_of_discs(nuclei, _DISCS):
        disc = nuclei.part(nuclei.around(centre_um, 1.2 * RADIUS_UM))
        poses = list(mapper(partial(search.best_place, disc, centre_um), ways))
        for pose in sorted(poses, key=lambda pose: -pose.score)[:_POSES_OF_A_DISC]:
            grown = _grown(nuclei, pose, centre_um, overview, mapper)
            if grown:
                yield grown
                break


def _grown(
    nuclei: NucleusMap,
    pose: Pose,
    centre_um: NDArray[np.float64],
    overview: Overview,
    mapper: Mapper,
) -> Polished | None:
    """Return the place of all nuclei that follows from that of a disc, or None where its surroundings contradict."""
    found = Polished(Affine(pose.um_to_he, Frame.UM, Frame.HE), 0, 0, 0.0)
    reach_um = 1.5 * RADIUS_UM
    while True:
        rows = nuclei.around(centre_um, reach_um)
        found = polish(nuclei.part(rows), found.um_to_he, [_GROWTH], overview.window, mapper)
        if found.n_agreeing < _LEAST_AGREEING or found.agreeing < _LEAST_SHARE:
            return None
        if len(rows) == len(nuclei.points_um):
            return found
        reach_um *= 2


def _rough(nuclei: NucleusMap, candidate: _Candidate, mapper: Mapper) -> Polished:
    start = Affine(candidate.pose.um_to_he, Frame.UM, Frame.HE)
    steps = coarse_steps(candidate.coarse_um, OVERVIEW_UM)
    return polish(nuclei, start, steps, candidate.overview.window, mapper)


def _exact(nuclei: NucleusMap, rough: Polished, he: HeView, mapper: Mapper) -> Polished:
    return polish(nuclei, rough.um_to_he, fine_steps(_WINDOWS), he.haematoxylin, mapper)


def _candidates(
    nuclei: NucleusMap, he: HeView, sizes_um_per_px: tuple[float, float], mapper: Mapper
) -> Iterator[_Candidate]:
    """Yield the best poses of one way to look at the H&E, the best first, then those of the next."""
    for look in _LOOKS:
        yield from _best_poses(nuclei, he, sizes_um_per_px, look, mapper)


def _best_poses(
    nuclei: NucleusMap,
    he: HeView,
    sizes_um_per_px: tuple[float, float],
    look: _Look,
    mapper: Mapper,
) -> list[_Candidate]:
    found: dict[int, _Candidate] = {}
    poses: list[Pose] = []
    for sizes in bands(sizes_between(*sizes_um_per_px, look.size_step)):
        middle = float(np.sqrt(sizes[0] * sizes[-1]))
        overview = he.overview(middle, look.around_um)
        reduced = overview.reduced(_reduction(nuclei, overview, middle, look.nuclei_px))
        matcher = CoarseMap(reduced, nuclei.points_um, nuclei.areas_um2, sizes[0])
        coarse_um = middle * max(reduced.step_px)
        for pose in mapper(matcher.best_place, trials(sizes, look.step_deg)):
            found[id(pose)] = _Candidate(pose, overview, coarse_um)
            poses.append(pose)
    return [found[id(pose)] for pose in distinct(poses, nuclei.corners_um, _CANDIDATES)]


def _reduction(nuclei: NucleusMap, overview: Overview, um_per_px: float, nuclei_px: int) -> int:
    """Return by how much the overview is reduced for the search over orientations."""
    own_um = um_per_px * max(overview.step_px)
    extent_um = float(np.ptp(nuclei.bounds_um, axis=0).max())
    for_nuclei = extent_um / nuclei_px / own_um
    for_he: float = max(overview.spots.shape) / _MAX_OVERVIEW_PX
    return max(2, round(max(for_nuclei, for_he)))
