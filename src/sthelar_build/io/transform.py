"""``transform.json``: where the H&E lies on the morphology image, and how well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sthelar_build.core.correction import CorrectedMap, Correction
from sthelar_build.core.verdict import Verdict
from sthelar_build.errors import InputError
from sthelar_build.io.provenance import Provenance
from sthelar_build.io.records import read_record, write_record
from sthelar_build.schema.frames import Affine, Frame, PointMap

Method = Literal["matrix", "keypoints", "explorer_zip", "identity", "automatic"]
Kept = Literal["given", "refined", "automatic"]

_PLAIN = (
    "method",
    "he_width_px",
    "he_height_px",
    "pixel_size_um",
    "median_um",
    "p95_um",
    "verdict",
)
_KEYS = ("matrix", "source", "target", "he_um_per_px", "reasons", *_PLAIN)


@dataclass(frozen=True, eq=False)
class Transform:
    """The place of the H&E on the morphology image."""

    he_to_morphology: Affine
    method: Method
    he_width_px: int
    he_height_px: int
    pixel_size_um: float
    """Size of a morphology pixel."""
    median_um: float | None = None
    """Weighted median of the residuals over the measured tiles; None if no tile could be measured."""
    p95_um: float | None = None
    """Their weighted 95th percentile."""
    verdict: Verdict = "fail"
    """``fail`` until it has been judged."""
    reasons: tuple[str, ...] = ()
    """What lowered the verdict, in plain words."""
    keypoints: dict[str, Any] | None = None
    """Residuals of the keypoints, when there are any."""
    correction: Correction | None = None
    """A local correction on top of the affine map, where the section is distorted."""
    kept: Kept | None = None
    """Which of the registrations that were tried this is."""
    alternatives: Mapping[str, Any] = field(default_factory=dict)
    """All that were tried, by ``Kept``: ``matrix``, ``median_um``, ``p95_um``, ``agreeing`` of each."""
    quality: Mapping[str, Any] = field(default_factory=dict)
    """All that was measured (``core.quality.Findings.record``)."""

    @property
    def he_um_per_px(self) -> float:
        """True size of a level-0 H&E pixel: that of the morphology image times the scale of the matrix."""
        return self.pixel_size_um * self.he_to_morphology.scale

    @property
    def um_to_morphology(self) -> Affine:
        """The map from micrometres to morphology pixels."""
        return Affine.scaling(1 / self.pixel_size_um, Frame.UM, Frame.MORPHOLOGY)

    @property
    def um_to_he_affine(self) -> Affine:
        """The affine map from micrometres to level-0 H&E pixels, whatever the correction says."""
        return self.um_to_morphology.then(self.he_to_morphology.inverse())

    @property
    def um_to_he(self) -> PointMap:
        """The map from micrometres to level-0 H&E pixels, the correction included."""
        affine = self.um_to_he_affine
        return CorrectedMap(self.correction, affine) if self.correction else affine


def write_transform(path: Path, transform: Transform, source: Provenance) -> None:
    """Write ``transform.json``, whole or not at all."""
    record = {
        "matrix": transform.he_to_morphology.matrix.tolist(),
        "source": str(transform.he_to_morphology.source),
        "target": str(transform.he_to_morphology.target),
        "he_um_per_px": transform.he_um_per_px,
        **{name: getattr(transform, name) for name in _PLAIN},
        "reasons": list(transform.reasons),
        "keypoints": transform.keypoints,
        "correction": transform.correction and _correction_record(transform.correction),
        "kept": transform.kept,
        "alternatives": dict(transform.alternatives),
        "quality": dict(transform.quality),
    }
    write_record(path, record, source)


def read_transform(path: Path) -> Transform:
    """Read ``transform.json``; InputError if it is not one that maps ``he`` to ``morphology``.

    Files of versions that knew no correction, alternatives or quality have none.
    """
    record = read_record(path, _KEYS)
    try:
        frames = Frame(record["source"]), Frame(record["target"])
        matrix = Affine(np.array(record["matrix"], dtype=np.float64), *frames)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{path}: expected a 3x3 matrix between two frames, found {error}; make it again with register"
        ) from error
    if frames != (Frame.HE, Frame.MORPHOLOGY):
        raise InputError(
            f"{path}: expected a transform he -> morphology, found {frames[0]} -> {frames[1]}; "
            "make it again with register"
        )
    return Transform(
        he_to_morphology=matrix,
        reasons=tuple(record["reasons"]),
        keypoints=record.get("keypoints"),
        correction=_correction(path, record.get("correction")),
        kept=record.get("kept"),
        alternatives=record.get("alternatives") or {},
        quality=record.get("quality") or {},
        **{name: record[name] for name in _PLAIN},
    )


def _correction_record(correction: Correction) -> dict[str, Any]:
    return {
        "left_um": correction.left_um,
        "top_um": correction.top_um,
        "step_um": correction.step_um,
        "shift_um": correction.shift_um.tolist(),
    }


def _correction(path: Path, record: Mapping[str, Any] | None) -> Correction | None:
    try:
        return Correction(**record) if record else None
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{path}: expected a correction of left_um, top_um, step_um and shift_um (rows, columns, 2), "
            f"found {error}; make it again with register"
        ) from error


def check_image_size(
    path: Path, transform: Transform, he: Path, width_px: int, height_px: int
) -> None:
    """Raise InputError unless the H&E has the size for which the transform was made."""
    expected = (transform.he_width_px, transform.he_height_px)
    if (width_px, height_px) != expected:
        raise InputError(
            f"{he}: expected an image of {expected[0]} x {expected[1]} px as in {path}, found "
            f"{width_px} x {height_px}; run register again with this image"
        )
