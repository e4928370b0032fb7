"""Place the H&E on the morphology image, measure tile by tile how well it lies, and judge it."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from zipfile import is_zipfile

import numpy as np

from sthelar_build.core.choice import Choice, Given, choose
from sthelar_build.core.contest import Outcome, contest
from sthelar_build.core.drift import DriftRule
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.nucleus_tiles import tiles_with_nuclei
from sthelar_build.core.placement import Placement, place
from sthelar_build.core.straightening import Straightened, StraighteningRule, straightened
from sthelar_build.core.verdict import Limits
from sthelar_build.errors import InputError
from sthelar_build.io.alignment import read_alignment
from sthelar_build.io.found_transforms import (
    blank_transform,
    moved_transform,
    placed_transform,
    tried_record,
)
from sthelar_build.io.images.course import SlideCourse
from sthelar_build.io.images.he import HeImage, check_size, open_he
from sthelar_build.io.images.judged import Judged, judged
from sthelar_build.io.images.morphology import open_morphology
from sthelar_build.io.images.placed_he import tissue_of
from sthelar_build.io.nucleus_maps import read_nucleus_map
from sthelar_build.io.pictures.registration_gallery import write_pictures
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.tables import write_table
from sthelar_build.io.transform import Method, Transform, write_transform
from sthelar_build.options import InFile, OutFile, Threads, Word, as_json
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import REGISTRATION
from sthelar_build.settings.register import RegisterSettings

logger = logging.getLogger(__name__)

_FAILED = "registration_failed"
_ANY_UM_PER_PX = 0.5
_CACHE_BYTES = 3 * 2**26
"""Decoded pieces of the H&E that are kept: those of a block of tiles, at any angle."""


def run(
    he: InFile,
    xenium: InFile,
    bundle: InFile,
    nuclei: InFile,
    alignment: Word,
    transform: OutFile,
    registration: OutFile,
    pictures: OutFile,
    settings: Annotated[RegisterSettings, as_json(RegisterSettings)],
    threads: Threads = 1,
) -> None:
    """Register the H&E of a slide to its morphology image."""
    facts = read_record(bundle, ["pixel_size_um", "morphology"])
    method, placement = _placement(alignment, facts["pixel_size_um"])
    drawn = read_nucleus_map(nuclei)
    file = None if alignment in {"auto", "identity"} else Path(alignment)
    inputs = {"he": he, "bundle": bundle, "nuclei": nuclei, "alignment": file}
    source = provenance("register", settings, inputs)
    with (
        open_he(he, _CACHE_BYTES) as image,
        open_morphology(xenium / facts["morphology"]) as morphology,
    ):
        check_size(he, image)
        course = _course(image, drawn, settings, threads, is_given=placement is not None)
        size_px = (image.width_px, image.height_px)
        blank = blank_transform(size_px, method, facts["pixel_size_um"])
        found = _registered(course, blank, placement, settings)
        if found is None:
            raise _nothing_fits(he)
        stands, choice = found
        failed = stands.transform.verdict == "fail" and settings.on_fail != "keep"
        folder = pictures.with_name(_FAILED) if failed else pictures
        limits_um = settings.tile_um, settings.fail_um
        write_pictures(folder, image, morphology, stands.transform, drawn, stands.tiles, *limits_um)
    if failed:
        raise _refused(he, alignment, stands.transform, choice, folder)
    shutil.rmtree(pictures.with_name(_FAILED), ignore_errors=True)
    write_table(registration, stands.tiles, REGISTRATION, source)
    write_transform(transform, stands.transform, source)


def _placement(alignment: str, pixel_size_um: float) -> tuple[Method, Placement | None]:
    """Return where the map of the H&E comes from, and the map with the residuals of its keypoints; None for auto."""
    if alignment == "auto":
        return "automatic", None
    if alignment == "identity":
        return "identity", place(Affine(np.eye(3), Frame.HE, Frame.MORPHOLOGY), None, pixel_size_um)
    path = Path(alignment)
    found = read_alignment(path)
    method: Method = "matrix" if found.matrix else "keypoints"
    if is_zipfile(path):
        method = "explorer_zip"
    return method, place(found.matrix, found.keypoints, pixel_size_um)


def _course(
    image: HeImage,
    nuclei: NucleusMap,
    settings: RegisterSettings,
    threads: int,
    *,
    is_given: bool,
) -> SlideCourse:
    return SlideCourse(
        image=image,
        nuclei=nuclei,
        tiles=tiles_with_nuclei(nuclei.points_um, settings.tile_um),
        tissue=tissue_of(image, _ANY_UM_PER_PX),
        rule=settings.part(DriftRule),
        limits=settings.part(Limits),
        straightening=settings.part(StraighteningRule),
        smoothing_um=settings.smoothing_um,
        sampled_tiles=settings.sampled_tiles,
        # Of a wrong alignment it is advice what the search finds: that must not take minutes.
        is_thorough=not is_given or settings.on_fail == "use_auto",
        threads=threads,
    )


def _registered(
    course: SlideCourse,
    blank: Transform,
    placement: Placement | None,
    settings: RegisterSettings,
) -> tuple[Judged, Choice] | None:
    """Return the registration that stands, right or wrong, and why; None if there is none at all."""
    given = _given(course.image, blank, placement)
    readings = given.readings() if given else []
    outcome = contest(
        given.um_to_he if given else None,
        (reading.um_to_he for reading in readings),
        course,
        refine=settings.refine,
    )
    _log(outcome)
    right = frozenset(n for n, one in outcome.entrants.items() if course.is_right(one.score))
    use_auto = settings.on_fail == "use_auto"
    choice = choose(outcome, right, given, course.nuclei.corners_um, use_auto=use_auto)
    if choice.entrant is None:
        return None
    placed = placed_transform(blank, given, choice.entrant)
    tried = {str(name): tried_record(blank, one) for name, one in outcome.entrants.items()}
    keypoints = placement.record() if placement else None
    placed = replace(placed, alternatives=tried, keypoints=keypoints)
    straight = Straightened(None, placed.um_to_he_affine)
    if choice.entrant.name in right:
        straight = _straightened(course, straight.affine)
        if given is None or settings.refine:
            placed = moved_transform(placed, straight)
    return judged(course, placed, placement, straight.fit, choice.remarks), choice


def _given(image: HeImage, blank: Transform, placement: Placement | None) -> Given | None:
    if placement is None:
        return None
    size_px = (image.width_px, image.height_px)
    return Given(placement.he_to_morphology, size_px, blank.pixel_size_um, image.um_per_px)


def _straightened(course: SlideCourse, affine: Affine) -> Straightened:
    found = straightened(affine, course.sample, course.straightening)
    if found.fit and found.correction:
        logger.info("the section is distorted by %.1f um: straightened", found.fit.smooth_um)
    return found


def _log(outcome: Outcome) -> None:
    for name, entrant in outcome.entrants.items():
        score = entrant.score
        median = "unknown" if score.median_um is None else f"{score.median_um:.2f} um"
        logger.info(
            "%s: median residual %s, %d of %d tiles agree",
            name, median, score.n_agreeing, score.n_measured,
        )  # fmt: skip


def _nothing_fits(he: Path) -> InputError:
    return InputError(
        f"{he}: expected an H&E that shows the nuclei of the bundle, found no place on it that fits them; check that it "
        "is of this slide, or give keypoints from Xenium Explorer as alignment"
    )


def _refused(
    he: Path, alignment: str, failed: Transform, choice: Choice, folder: Path
) -> InputError:
    remedy = (
        "set the alignment to auto, or register.on_fail to use_auto"
        if choice.is_mended
        else "give keypoints from Xenium Explorer as alignment"
    )
    return InputError(
        f"{he}: expected an H&E that lies on the nuclei with the alignment {alignment}, found that it does not: "
        f"{'; '.join(failed.reasons)}; look at {folder}/overlay.png, and {remedy}"
    )
