"""Transforms of what was found: of the registration that stands, and of those that were tried beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sthelar_build.core.choice import Given
from sthelar_build.core.contest import Entrant
from sthelar_build.core.straightening import Straightened
from sthelar_build.io.transform import Method, Transform
from sthelar_build.schema.frames import Affine, Frame

_DIGITS = (9, 4)
"""Decimals of a found matrix: of its linear part, and of its shift in morphology px."""


def blank_transform(size_px: tuple[int, int], method: Method, pixel_size_um: float) -> Transform:
    """Return the transform of an H&E (width, height) before it is placed."""
    return Transform(
        he_to_morphology=Affine(np.eye(3), Frame.HE, Frame.MORPHOLOGY),
        method=method,
        he_width_px=size_px[0],
        he_height_px=size_px[1],
        pixel_size_um=pixel_size_um,
    )


def placed_transform(blank: Transform, given: Given | None, entrant: Entrant) -> Transform:
    """Return the transform that a registration describes; that of the user to the last digit."""
    if given and entrant.name == "given":
        return replace(blank, he_to_morphology=given.he_to_morphology, kept="given")
    method: Method = "automatic" if entrant.name == "automatic" else blank.method
    matrix = _rounded(blank, entrant.um_to_he)
    return replace(blank, he_to_morphology=matrix, method=method, kept=entrant.name)


def moved_transform(placed: Transform, straight: Straightened) -> Transform:
    """Return the transform with what straightening has found: a better affine map, and a correction."""
    matrix = _rounded(placed, straight.affine)
    is_same = np.allclose(
        matrix.matrix, placed.he_to_morphology.matrix, rtol=0, atol=10.0 ** -_DIGITS[1]
    )
    if is_same and straight.correction is None:
        return placed
    kept = "refined" if placed.kept == "given" else placed.kept
    return replace(placed, he_to_morphology=matrix, correction=straight.correction, kept=kept)


def tried_record(blank: Transform, entrant: Entrant) -> Mapping[str, Any]:
    """Return what ``transform.json`` says of a registration that was tried."""
    to_morphology = entrant.um_to_he.inverse().then(blank.um_to_morphology)
    return {
        "matrix": to_morphology.matrix.tolist(),
        "median_um": entrant.score.median_um,
        "p95_um": entrant.score.p95_um,
        "agreeing": entrant.score.agreeing,
    }


def _rounded(blank: Transform, um_to_he: Affine) -> Affine:
    found = um_to_he.inverse().then(blank.um_to_morphology).matrix.copy()
    # Digits that mean nothing differ between processors, and with them every artefact that follows.
    found[:2, :2] = found[:2, :2].round(_DIGITS[0])
    found[:2, 2] = found[:2, 2].round(_DIGITS[1])
    return Affine(found, Frame.HE, Frame.MORPHOLOGY)
