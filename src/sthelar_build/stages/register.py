"""Place the H&E on the morphology image, measure tile by tile how well it lies, and judge it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from zipfile import is_zipfile

import numpy as np
import pandas as pd

from sthelar_build.core.choice import Choice, Given, choose
from sthelar_build.core.contest import Entrant, Outcome, contest
from sthelar_build.core.drift import DriftRule, tile_table, tiles_with_nuclei
from sthelar_build.core.matrix_facts import matrix_facts
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.placement import Placement, place
from sthelar_build.core.quality import Findings, field_facts, matched_facts
from sthelar_build.core.straightening import Straightened, StraighteningRule, straightened
from sthelar_build.core.verdict import Limits, judge
from sthelar_build.core.wording import tally
from sthelar_build.errors import InputError
from sthelar_build.io.alignment import read_alignment
from sthelar_build.io.images.course import SlideCourse
from sthelar_build.io.images.he import HeImage, check_size, open_he
from sthelar_build.io.images.morphology import MorphologyImage, open_morphology
from sthelar_build.io.images.placed_he import tissue_of
from sthelar_build.io.pictures.registration_gallery import write_pictures
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.io.transform import Method, Transform, write_transform
from sthelar_build.options import InFile, OutFile, Threads, Word, as_json
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import NUCLEI, REGISTRATION
from sthelar_build.settings.register import RegisterSettings

logger = logging.getLogger(__name__)

_FAILED = "registration_failed"
_ANY_UM_PER_PX = 0.5
_DIGITS = (9, 4)
"""Decimals of a found matrix: of its linear part, and of its shift in morphology px."""


class _Measured(NamedTuple):
    """A registration, every tile of it measured, and judged."""

    transform: Transform
    tiles: pd.DataFrame


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
    frame = read_table(nuclei, NUCLEI, ["x_um", "y_um", "area_um2", "geometry"])
    if frame.empty:
        raise InputError(f"{nuclei}: expected at least one nucleus, found none; check the bundle")
    file = None if alignment in {"auto", "identity"} else Path(alignment)
    inputs = {"he": he, "bundle": bundle, "nuclei": nuclei, "alignment": file}
    source = provenance("register", settings, inputs)
    with open_he(he) as image, open_morphology(xenium / facts["morphology"]) as morphology:
        check_size(he, image)
        course = _course(image, frame, settings, threads, is_given=placement is not None)
        blank = _blank(image, method, facts["pixel_size_um"], placement)
        found = _registered(course, blank, placement, settings)
        if found is None:
            raise _nothing_fits(he)
        measured, choice = found
        failed = measured.transform.verdict == "fail" and settings.on_fail != "keep"
        folder = pictures.with_name(_FAILED) if failed else pictures
        _draw(folder, course, morphology, frame, measured, settings)
    if failed:
        raise _refused(he, alignment, measured.transform, choice, folder)
    shutil.rmtree(pictures.with_name(_FAILED), ignore_errors=True)
    write_table(registration, measured.tiles, REGISTRATION, source)
    write_transform(transform, measured.transform, source)


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
    nuclei: pd.DataFrame,
    settings: RegisterSettings,
    threads: int,
    *,
    is_given: bool,
) -> SlideCourse:
    points_um = nuclei[["x_um", "y_um"]].to_numpy()
    return SlideCourse(
        image=image,
        nuclei=NucleusMap(nuclei.geometry.to_numpy(), points_um, nuclei.area_um2.to_numpy()),
        tiles=tiles_with_nuclei(points_um, settings.tile_um),
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


def _blank(
    image: HeImage, method: Method, pixel_size_um: float, placement: Placement | None
) -> Transform:
    """Return the transform of a slide before it is placed."""
    return Transform(
        he_to_morphology=Affine(np.eye(3), Frame.HE, Frame.MORPHOLOGY),
        method=method,
        he_width_px=image.width_px,
        he_height_px=image.height_px,
        pixel_size_um=pixel_size_um,
        keypoints=placement.record() if placement else None,
    )


def _registered(
    course: SlideCourse,
    blank: Transform,
    placement: Placement | None,
    settings: RegisterSettings,
) -> tuple[_Measured, Choice] | None:
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
    tried = {str(name): _record(blank, one) for name, one in outcome.entrants.items()}
    placed = replace(_placed(blank, given, choice.entrant), alternatives=tried)
    straight = Straightened(None, placed.um_to_he_affine)
    if choice.entrant.name in right:
        straight = _straightened(course, straight.affine)
        if given is None or settings.refine:
            placed = _moved(placed, straight)
    return _measured(course, placed, placement, straight, choice.remarks, settings), choice


def _given(image: HeImage, blank: Transform, placement: Placement | None) -> Given | None:
    if placement is None:
        return None
    size_px = (image.width_px, image.height_px)
    return Given(placement.he_to_morphology, size_px, blank.pixel_size_um, image.um_per_px)


def _placed(blank: Transform, given: Given | None, entrant: Entrant) -> Transform:
    """Return the transform that a registration describes; that of the user to the last digit."""
    if given and entrant.name == "given":
        return replace(blank, he_to_morphology=given.he_to_morphology, kept="given")
    method: Method = "automatic" if entrant.name == "automatic" else blank.method
    matrix = _rounded(blank, entrant.um_to_he)
    return replace(blank, he_to_morphology=matrix, method=method, kept=entrant.name)


def _rounded(blank: Transform, um_to_he: Affine) -> Affine:
    found = um_to_he.inverse().then(blank.um_to_morphology).matrix.copy()
    # Digits that mean nothing differ between processors, and with them every artefact that follows.
    found[:2, :2] = found[:2, :2].round(_DIGITS[0])
    found[:2, 2] = found[:2, 2].round(_DIGITS[1])
    return Affine(found, Frame.HE, Frame.MORPHOLOGY)


def _record(blank: Transform, entrant: Entrant) -> Mapping[str, Any]:
    to_morphology = entrant.um_to_he.inverse().then(blank.um_to_morphology)
    return {
        "matrix": to_morphology.matrix.tolist(),
        "median_um": entrant.score.median_um,
        "p95_um": entrant.score.p95_um,
        "agreeing": entrant.score.agreeing,
    }


def _moved(placed: Transform, straight: Straightened) -> Transform:
    """Return the transform with what straightening has found: a better affine map, and a correction."""
    matrix = _rounded(placed, straight.affine)
    is_same = np.allclose(
        matrix.matrix, placed.he_to_morphology.matrix, rtol=0, atol=10.0 ** -_DIGITS[1]
    )
    if is_same and straight.correction is None:
        return placed
    kept = "refined" if placed.kept == "given" else placed.kept
    return replace(placed, he_to_morphology=matrix, correction=straight.correction, kept=kept)


def _straightened(course: SlideCourse, affine: Affine) -> Straightened:
    found = straightened(affine, course.sample, course.straightening)
    if found.fit and found.correction:
        logger.info("the section is distorted by %.1f um: straightened", found.fit.smooth_um)
    return found


def _measured(
    course: SlideCourse,
    placed: Transform,
    placement: Placement | None,
    straight: Straightened,
    remarks: tuple[str, ...],
    settings: RegisterSettings,
) -> _Measured:
    """Measure all tiles of a registration, and judge it."""
    tiles = list(
        progress(
            course.measured(placed.um_to_he, course.tiles, course.rule), "tiles", len(course.tiles)
        )
    )
    table = tile_table(course.tiles, tiles)
    n_measured = table.residual_um.notna().sum()
    logger.info("measured %d of %d tiles; not: %s", n_measured, len(table), tally(table.reason))
    inside, on_tissue = _shares(course, placed)
    findings = Findings(
        field=field_facts(table, settings.agree_um, is_fitted=placed.kept != "given"),
        matched=matched_facts(np.concatenate([tile.matched_um for tile in tiles]), table),
        matrix=matrix_facts(placed.he_to_morphology, placed.pixel_size_um),
        inside=inside,
        on_tissue=on_tissue,
        stated_um_per_px=course.image.um_per_px,
        keypoints_um=placement.believed_um if placement else (),
        rejected_um=placement.rejected_um if placement else (),
    )
    distortion = None
    if straight.fit:
        distortion = straight.fit.record() | {"corrected": placed.correction is not None}
    quality = findings.record() | {"distortion": distortion}
    return _Measured(_judged(replace(placed, quality=quality), findings, remarks, settings), table)


def _shares(course: SlideCourse, placed: Transform) -> tuple[float, float]:
    """Return the share of the nuclei on the H&E, and of those the share on tissue."""
    he_xy = placed.um_to_he.apply(course.nuclei.points_um)
    size = [placed.he_width_px, placed.he_height_px]
    inside = np.asarray(((he_xy >= 0) & (he_xy < size)).all(axis=1))
    logger.info("%d of %d nuclei fall on the H&E", inside.sum(), len(inside))
    on_tissue = course.tissue.at(he_xy[inside]).mean() if inside.any() else 0.0
    return float(inside.mean()), float(on_tissue)


def _judged(
    placed: Transform, findings: Findings, remarks: tuple[str, ...], settings: RegisterSettings
) -> Transform:
    verdict, reasons = judge(findings, settings.part(Limits))
    if remarks and verdict == "pass":
        verdict = "warn"
    reasons = (*reasons, *remarks)
    median_um, p95_um = findings.field.median_um, findings.field.p95_um
    logger.log(
        logging.INFO if verdict == "pass" else logging.WARNING,
        "registration %s: median %s um, 95th percentile %s um%s",
        verdict,
        *("unknown" if value is None else f"{value:.2f}" for value in (median_um, p95_um)),
        "".join(f"; {reason}" for reason in reasons),
    )
    return replace(placed, median_um=median_um, p95_um=p95_um, verdict=verdict, reasons=reasons)


def _draw(
    folder: Path,
    course: SlideCourse,
    morphology: MorphologyImage,
    nuclei: pd.DataFrame,
    found: _Measured,
    settings: RegisterSettings,
) -> None:
    write_pictures(
        folder,
        course.image,
        morphology,
        found.transform,
        nuclei,
        found.tiles,
        settings.tile_um,
        settings.fail_um,
    )


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
