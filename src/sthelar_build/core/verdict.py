"""Whether a registration can be trusted, and why not, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "warn", "fail"]
FROM_WORST: tuple[Verdict, ...] = ("fail", "warn", "pass")
"""The verdicts, the worst first."""


@dataclass(frozen=True)
class Limits:
    """From where a registration is doubtful, and from where it is wrong."""

    warn_um: float
    fail_um: float
    warn_p95_um: float
    min_measured: float
    min_inside: float
    max_size_mismatch: float


@dataclass(frozen=True)
class Findings:
    """What was found about a registration."""

    median_um: float | None
    p95_um: float | None
    n_measured: int
    n_flat: int
    inside: float
    """Share of the nuclei that fall on the H&E."""
    he_um_per_px: float
    """Pixel size of the H&E that the alignment implies."""
    stated_um_per_px: float | None
    """Pixel size that the H&E file states."""
    keypoints_um: tuple[float, ...] = ()
    """Leave-one-out residuals of the keypoints that were used."""
    rejected_um: tuple[float, ...] = ()
    """Residuals of the keypoints that were left out as gross errors."""


def judge(found: Findings, limits: Limits) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict and what lowered it, the gravest first; no reason means pass."""
    failures = [*_misplaced(found, limits), *_unmeasured(found, limits), *_far_off(found, limits)]
    doubts = [*_drifting(found, limits), *_other_size(found, limits), *_keypoints(found, limits)]
    verdict: Verdict = "fail" if failures else "warn" if doubts else "pass"
    return verdict, (*failures, *doubts)


def _misplaced(found: Findings, limits: Limits) -> list[str]:
    if found.inside >= limits.min_inside:
        return []
    return [
        f"only {found.inside:.0%} of the nuclei fall on the H&E: the alignment may be that of another "
        "image, or its inverse"
    ]


def _unmeasured(found: Findings, limits: Limits) -> list[str]:
    n_tried = found.n_measured + found.n_flat
    if n_tried == 0:
        return ["no tile has enough nuclei on the H&E to be measured"]
    if found.n_measured >= limits.min_measured * n_tried:
        return []
    return [
        f"nuclei and haematoxylin match at some shift in only {found.n_measured} of {n_tried} tiles: the H&E "
        "may be misplaced by more than the search, mirrored, or of another section"
    ]


def _far_off(found: Findings, limits: Limits) -> list[str]:
    if found.median_um is None or found.median_um <= limits.fail_um:
        return []
    return [f"nuclei lie {found.median_um:.1f} um from the haematoxylin in the median tile"]


def _drifting(found: Findings, limits: Limits) -> list[str]:
    reasons = []
    if found.median_um is not None and limits.warn_um < found.median_um <= limits.fail_um:
        reasons.append(
            f"nuclei lie {found.median_um:.1f} um from the haematoxylin in the median tile"
        )
    if found.p95_um is not None and found.p95_um > limits.warn_p95_um:
        reasons.append(f"5 % of the tiles are off by more than {found.p95_um:.1f} um")
    return reasons


def _other_size(found: Findings, limits: Limits) -> list[str]:
    if found.stated_um_per_px is None:
        return []
    ratio = found.stated_um_per_px / found.he_um_per_px
    if abs(ratio - 1) <= limits.max_size_mismatch:
        return []
    return [
        f"the H&E file states {found.stated_um_per_px:.4f} um per pixel, the alignment gives "
        f"{found.he_um_per_px:.4f}: it may be that of another pyramid level, or in um"
    ]


def _keypoints(found: Findings, limits: Limits) -> list[str]:
    reasons = []
    if found.rejected_um:
        worst = max(found.rejected_um)
        reasons.append(
            f"{len(found.rejected_um)} keypoints disagree with the others and were left out "
            f"(up to {worst:.1f} um)"
        )
    far = [residual for residual in found.keypoints_um if residual > limits.fail_um]
    if far:
        reasons.append(
            f"{len(far)} keypoints lie more than {limits.fail_um:g} um from where the others put them"
        )
    return reasons
