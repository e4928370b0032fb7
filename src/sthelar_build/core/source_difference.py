"""By how much two drawings of the same nuclei differ: the simplified outlines, and the exact raster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.raster import Ints, Map
from sthelar_build.core.wording import count, percent
from sthelar_build.schema.words import NO_NUCLEUS, NO_RASTER, NOT_RUN

_SOURCES = {
    "polygons": "the outlines of the bundle, which are simplified",
    "raster": "the nucleus raster of the bundle, which is exact",
}
_NOT_COMPARED = {
    NOT_RUN: "that was not asked for, or no bundle was named",
    NO_RASTER: "there is no raster of these nuclei",
    NO_NUCLEUS: "no patch holds a nucleus",
}


@dataclass(frozen=True)
class Tally:
    """What two maps of one patch have in common."""

    common_px: int
    """Pixels that are nucleus in both, of the same nucleus or not."""
    either_px: int
    ious: NDArray[np.float64]
    """Intersection over union of every nucleus that both show."""
    polygons_only: int
    """Nuclei that only the outlines show."""
    raster_only: int


@dataclass(frozen=True)
class Difference:
    """The same over a sample of patches; what has nothing to be measured on is None."""

    n_patches: int
    foreground_iou: float | None
    """Over the pixels of all patches."""
    n_common: int
    """Appearances of nuclei that both show: a nucleus counts once in every patch."""
    n_polygons_only: int
    n_raster_only: int
    nucleus_iou_median: float | None
    nucleus_iou_p05: float | None
    """5th percentile."""


def tally(polygons: Map, raster: Map) -> Tally:
    """Compare two maps of the same patch, uint32 (side, side): 0 is background, else the nucleus id."""
    areas = [
        dict(zip(*np.unique(m[m > 0], return_counts=True), strict=True)) for m in (polygons, raster)
    ]
    same, overlap = np.unique(polygons[(polygons == raster) & (polygons > 0)], return_counts=True)
    overlaps = dict(zip(same, overlap, strict=True))
    both = sorted(areas[0].keys() & areas[1].keys())
    ious = [overlaps.get(i, 0) / (areas[0][i] + areas[1][i] - overlaps.get(i, 0)) for i in both]
    return Tally(
        common_px=int(((polygons > 0) & (raster > 0)).sum()),
        either_px=int(((polygons > 0) | (raster > 0)).sum()),
        ious=np.array(ious, dtype=np.float64),
        polygons_only=len(areas[0]) - len(both),
        raster_only=len(areas[1]) - len(both),
    )


def difference(tallies: Sequence[Tally]) -> Difference:
    """Sum up the patches."""
    ious = np.concatenate([np.empty(0), *(t.ious for t in tallies)])
    either_px = sum(t.either_px for t in tallies)
    return Difference(
        n_patches=len(tallies),
        foreground_iou=sum(t.common_px for t in tallies) / either_px if either_px else None,
        n_common=len(ious),
        n_polygons_only=sum(t.polygons_only for t in tallies),
        n_raster_only=sum(t.raster_only for t in tallies),
        nucleus_iou_median=_quantile(ious, 0.5),
        nucleus_iou_p05=_quantile(ious, 0.05),
    )


def difference_words(found: Difference) -> str:
    """Return the difference as one line of text."""
    return (
        f"outlines and raster on {count(found.n_patches)} patches: they share {percent(found.foreground_iou)} of their "
        f"pixels (IoU), and {percent(found.nucleus_iou_median)} of the median nucleus (5th percentile "
        f"{percent(found.nucleus_iou_p05)}) among {count(found.n_common)} that both show; "
        f"{count(found.n_polygons_only)} only in the outlines, {count(found.n_raster_only)} only in the raster"
    )


def source_words(manifest: Mapping[str, Any]) -> str | None:
    """Say what the masks were drawn from, and how the two sources differ; None of masks that do not say.

    ``manifest`` has ``source``, and ``difference`` (fields of ``Difference``) or else
    ``difference_reason``.
    """
    if "source" not in manifest:
        return None
    drawn = f"Drawn from {_SOURCES[manifest['source']]}."
    if manifest["difference"]:
        words = difference_words(Difference(**manifest["difference"]))
        return f"{drawn} {words[0].upper()}{words[1:]}."
    reason = _NOT_COMPARED[manifest["difference_reason"]]
    return f"{drawn} Outlines and raster were not compared: {reason}."


def sampled_patches(
    centres_px: NDArray[np.float64], complete: NDArray[np.bool_], stride_px: int, n: int
) -> Ints:
    """Return up to ``n`` patches with nuclei, evenly spread over the grid, in order.

    Parameters
    ----------
    centres_px
        (m, 2) of the nuclei, x first, in pixels of the scale.
    complete
        (rows, columns) of the grid: only these patches are taken.
    stride_px
        Distance of neighbouring patches.

    Returns
    -------
    patch_id of complete patches that have the centre of a nucleus in what they do not share with the patches right of
    and below them.
    """
    column, row = np.floor(centres_px / stride_px).astype(np.int64).T
    inside = (row >= 0) & (row < complete.shape[0]) & (column >= 0) & (column < complete.shape[1])
    held = np.unique(row[inside] * complete.shape[1] + column[inside])
    held = held[complete.ravel()[held]]
    spread = np.linspace(0, len(held) - 1, min(n, len(held))).round().astype(np.int64)
    return np.asarray(held[spread], dtype=np.int64)


def _quantile(values: NDArray[np.float64], share: float) -> float | None:
    return float(np.quantile(values, share)) if len(values) else None
