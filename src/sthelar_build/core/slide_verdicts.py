"""May I train on this slide? What its alignment, labels and masks say, alone and together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sthelar_build.core.summary import Agreement, Annotation

Status = Literal["pass", "warn", "fail", "unknown"]


def slide_verdicts(
    alignment: Status,
    annotation: Annotation,
    agreements: Sequence[Agreement],
    min_decided: float,
    min_kept: float,
) -> dict[str, Status]:
    """Return the verdicts on ``alignment``, ``labels`` and ``masks``, and ``overall``.

    Labels pass if ``min_decided`` of the cells with enough transcripts rest on evidence, masks if at
    every scale ``min_kept`` of the measured patches agree well enough; below, they warn.
    """
    labels: Status = "pass" if annotation.decided_share >= min_decided else "warn"
    masks = [mask_status(found, min_kept) for found in agreements]
    worst = next(status for status in ("warn", "unknown", "pass") if status in masks)
    return {
        "alignment": alignment,
        "labels": labels,
        "masks": worst,
        "overall": overall(alignment, [labels, worst]),
    }


def mask_status(found: Agreement, min_kept: float) -> Status:
    """Return what the agreement at one scale says of the masks."""
    if found.n_measured == 0:
        return "unknown"
    return "pass" if found.kept_share >= min_kept else "warn"


def overall(alignment: Status, others: Sequence[Status]) -> Status:
    """Return what all say together: a failed alignment fails; anything else that is not pass warns."""
    if alignment == "fail":
        return "fail"
    return "pass" if {alignment, *others} == {"pass"} else "warn"
