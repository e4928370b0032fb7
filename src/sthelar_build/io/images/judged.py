"""A registration, every tile of it measured, and judged."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.correction_fit import CorrectionFit
from sthelar_build.core.drift import tile_table
from sthelar_build.core.matrix_facts import matrix_facts
from sthelar_build.core.nucleus_tiles import in_blocks
from sthelar_build.core.placement import Placement
from sthelar_build.core.quality import Findings, field_facts, matched_facts
from sthelar_build.core.verdict import judge
from sthelar_build.core.wording import tally
from sthelar_build.io.images.course import SlideCourse
from sthelar_build.io.progress import progress
from sthelar_build.io.transform import Transform

logger = logging.getLogger(__name__)


class Judged(NamedTuple):
    """What stands in ``transform.json`` and in ``registration.parquet``."""

    transform: Transform
    tiles: pd.DataFrame
    """``schema.tables.REGISTRATION``."""


def judged(
    course: SlideCourse,
    placed: Transform,
    placement: Placement | None,
    distortion: CorrectionFit | None,
    remarks: tuple[str, ...],
) -> Judged:
    """Measure all tiles of a registration, and judge it.

    Parameters
    ----------
    course
        The slide.
    placed
        Where the H&E lies.
    placement
        What the user gave, for the residuals of its keypoints.
    distortion
        The smooth part of the residuals before it was corrected.
    remarks
        Of the choice of this registration; one alone lowers a pass to a warning.
    """
    tiles, matched_um = _measured(course, placed)
    inside, on_tissue = _shares(course, placed)
    findings = Findings(
        field=field_facts(tiles, course.limits.agree_um, is_fitted=placed.kept != "given"),
        matched=matched_facts(matched_um, tiles),
        matrix=matrix_facts(placed.he_to_morphology, placed.pixel_size_um),
        inside=inside,
        on_tissue=on_tissue,
        stated_um_per_px=course.image.um_per_px,
        keypoints_um=placement.believed_um if placement else (),
        rejected_um=placement.rejected_um if placement else (),
    )
    fit = None
    if distortion:
        fit = distortion.record() | {"corrected": placed.correction is not None}
    quality = findings.record() | {"distortion": fit}
    verdict, reasons = judge(findings, course.limits)
    if remarks and verdict == "pass":
        verdict = "warn"
    found = replace(
        placed,
        median_um=findings.field.median_um,
        p95_um=findings.field.p95_um,
        verdict=verdict,
        reasons=(*reasons, *remarks),
        quality=quality,
    )
    _log(found)
    return Judged(found, tiles)


def _measured(course: SlideCourse, placed: Transform) -> tuple[pd.DataFrame, NDArray[np.floating]]:
    """Return the table of all tiles, and the distances of all matched nuclei (n,)."""
    # Tiles that lie near each other share pieces of the H&E: few of them must be kept at a time.
    near_first = in_blocks(course.tiles)
    measured = course.measured(placed.um_to_he, near_first, course.rule)
    found = list(progress(measured, "tiles", len(near_first)))
    table = tile_table(near_first, found).sort_index()
    n_measured = table.residual_um.notna().sum()
    logger.info("measured %d of %d tiles; not: %s", n_measured, len(table), tally(table.reason))
    return table, np.concatenate([tile.matched_um for tile in found])


def _shares(course: SlideCourse, placed: Transform) -> tuple[float, float]:
    """Return the share of the nuclei on the H&E, and of those the share on tissue."""
    he_xy = placed.um_to_he.apply(course.nuclei.points_um)
    size = [placed.he_width_px, placed.he_height_px]
    inside = np.asarray(((he_xy >= 0) & (he_xy < size)).all(axis=1))
    logger.info("%d of %d nuclei fall on the H&E", inside.sum(), len(inside))
    on_tissue = course.tissue.at(he_xy[inside]).mean() if inside.any() else 0.0
    return float(inside.mean()), float(on_tissue)


def _log(found: Transform) -> None:
    logger.log(
        logging.INFO if found.verdict == "pass" else logging.WARNING,
        "registration %s: median %s um, 95th percentile %s um%s",
        found.verdict,
        *(
            "unknown" if value is None else f"{value:.2f}"
            for value in (found.median_um, found.p95_um)
        ),
        "".join(f"; {reason}" for reason in found.reasons),
    )
