"""Whether a registration can be trusted, and why not, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING, Literal

from scipy.special import bdtrc

if TYPE_CHECKING:
    from sthelar_build.core.quality import FieldFacts, Findings

Verdict = Literal["pass", "warn", "fail"]
_FREE_TILES, _TRIED_MAPS = 3, 1000
FROM_WORST: tuple[Verdict, ...] = ("fail", "warn", "pass")
"""The verdicts, the worst first."""


@dataclass(frozen=True)
class Limits:
    """From where a registration is doubtful, and from where it is wrong; as in ``RegisterSettings``."""

    search_um: float
    agree_um: float
    min_agreeing: float
    warn_agreeing: float
    max_chance: float
    warn_um: float
    fail_um: float
    warn_p95_um: float
    min_measured: float
    min_inside: float
    warn_inside: float
    min_on_tissue: float
    warn_on_tissue: float
    max_size_mismatch: float
    max_anisotropy: float
    max_shear_deg: float


def judge(found: Findings, limits: Limits) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict and what lowered it, the gravest first; no reason means pass."""
    failures = [
        *_misplaced(found, limits),
        *_unmeasured(found.field, limits),
        *_far_off(found.field, limits),
    ]
    doubts = [
        *_partial(found, limits),
        *_drifting(found.field, limits),
        *_other_size(found, limits),
        *_distorted(found, limits),
        *_keypoints(found, limits),
    ]
    verdict: Verdict = "fail" if failures else "warn" if doubts else "pass"
    return verdict, (*failures, *doubts)


def is_right(field: FieldFacts, limits: Limits) -> bool:
    """Return whether tiles alone say that this is the right place, however few could be measured."""
    return not _unmeasured(field, limits) and not _far_off(field, limits)


def chance(field: FieldFacts, limits: Limits) -> float:
    """Return the probability that so many tiles agree although the place is wrong.

    Notes
    -----
    Shifts are then equally likely over the square that is searched, and of two or more tiles one says where the
    others must lie: a binomial tail, for no shift and for the common one, whichever is smaller. Of a map that was fitted
    here three tiles agree whatever it is, and a thousand maps were tried.
    """
    share = min(1.0, pi * limits.agree_um**2 / (2 * limits.search_um) ** 2)
    free, tries = (_FREE_TILES, _TRIED_MAPS) if field.is_fitted else (0, 1)
    n = field.n_measured - free
    smaller = min(
        _tail(field.n_agreeing - free, n, share), _tail(field.n_coherent - free - 1, n - 1, share)
    )
    return min(1.0, smaller * tries)


def _tail(least: int, n: int, share: float) -> float:
    return float(bdtrc(least - 1, n, share)) if least > 0 else 1.0


def _misplaced(found: Findings, limits: Limits) -> list[str]:
    if found.inside < limits.min_inside:
        return [f"only {found.inside:.0%} of the nuclei fall on the H&E"]
    if found.on_tissue < limits.min_on_tissue:
        return [f"only {found.on_tissue:.0%} of the nuclei on the H&E fall on tissue"]
    return []


def _unmeasured(field: FieldFacts, limits: Limits) -> list[str]:
    n_tried = field.n_measured + field.n_flat
    if n_tried == 0:
        return ["no tile has enough nuclei on the tissue of the H&E to be measured"]
    if field.n_measured < limits.min_measured * n_tried:
        return [
            f"nuclei and haematoxylin match at some shift in only {field.n_measured} of {n_tried} tiles"
        ]
    if field.coherent < limits.min_agreeing:
        is_near = field.median_um is not None and field.median_um <= limits.fail_um
        return [
            f"only {field.n_coherent} of {field.n_measured} tiles agree on where the nuclei belong: "
            + ("the section is distorted" if is_near else "as by chance, the place is wrong")
        ]
    if chance(field, limits) > limits.max_chance:
        return [
            f"{field.n_coherent} of {field.n_measured} tiles agree on where the nuclei belong, which is too "
            "few to tell from chance; give a larger region, or smaller tiles (register.tile_um)"
        ]
    return []


def _far_off(field: FieldFacts, limits: Limits) -> list[str]:
    reasons = []
    if field.median_um is not None and field.median_um > limits.fail_um:
        reasons.append(_off(field.median_um))
    if field.drop is not None and field.drop <= 0 and field.decay is not None:
        reasons.append(
            f"nuclei shifted by 4 to 8 um fit the haematoxylin as well as where they are (correlation {field.decay[0]:.2f})"
        )
    return reasons


def _drifting(field: FieldFacts, limits: Limits) -> list[str]:
    reasons = []
    if field.median_um is not None and limits.warn_um < field.median_um <= limits.fail_um:
        reasons.append(_off(field.median_um))
    elif field.coherent >= limits.min_agreeing and field.agreeing < limits.warn_agreeing:
        reasons.append(
            f"only {field.agreeing:.0%} of the measured tiles are within {limits.agree_um:g} um of where they belong"
        )
    if field.p95_um is not None and field.p95_um > limits.warn_p95_um:
        reasons.append(f"5 % of the tiles are off by more than {field.p95_um:.1f} um")
    return reasons


def _off(median_um: float) -> str:
    return f"nuclei lie {median_um:.1f} um from the haematoxylin in the median tile"


def _partial(found: Findings, limits: Limits) -> list[str]:
    if limits.min_inside <= found.inside < limits.warn_inside:
        return [
            f"{found.inside:.0%} of the nuclei fall on the H&E: it shows a part of the slide only"
        ]
    if limits.min_on_tissue <= found.on_tissue < limits.warn_on_tissue:
        return [
            f"{found.on_tissue:.0%} of the nuclei on the H&E fall on tissue: the rest is missing from the section"
        ]
    return []


def _other_size(found: Findings, limits: Limits) -> list[str]:
    if found.stated_um_per_px is None:
        return []
    implied = found.matrix.um_per_px
    if abs(found.stated_um_per_px / implied - 1) <= limits.max_size_mismatch:
        return []
    return [
        f"the H&E file states {found.stated_um_per_px:.4f} um per pixel, the alignment gives "
        f"{implied:.4f}: it may be that of another pyramid level, or in um"
    ]


def _distorted(found: Findings, limits: Limits) -> list[str]:
    reasons = []
    if found.matrix.anisotropy > limits.max_anisotropy:
        reasons.append(
            f"the alignment stretches the H&E by {found.matrix.anisotropy - 1:.0%} more one way than the other"
        )
    if found.matrix.shear_deg > limits.max_shear_deg:
        reasons.append(f"the alignment shears the H&E by {found.matrix.shear_deg:.1f} degrees")
    return reasons


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
