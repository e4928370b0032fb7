"""The audit of a split: pixels and nuclei are looked at again one by one, with nothing of the code that made the split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.splits import SPLIT_NAMES

PROMISES = {
    "patient": (
        "shared_pixels",
        "patches_sharing_pixels",
        "shared_nuclei",
        "shared_slides",
        "shared_patients",
    ),
    "slide": ("shared_pixels", "patches_sharing_pixels", "shared_nuclei", "shared_slides"),
    "space": ("shared_pixels", "patches_sharing_pixels", "shared_nuclei"),
    "random_leaky": (),
}
"""What every strategy keeps out of two splits at once."""


@dataclass(frozen=True)
class LeakAudit:
    """What the splits of a dataset share."""

    shared_pixels: int
    """Pixels of the slides, at the scale of the patches, that patches of two splits show."""
    patches_sharing_pixels: int
    """Patches that show such a pixel."""
    shared_nuclei: int
    """Nuclei drawn in patches of more than one split."""
    shared_slides: int
    """Slides with patches in more than one split."""
    shared_patients: int
    """Patients with patches in more than one split."""

    def __add__(self, other: LeakAudit) -> LeakAudit:
        return LeakAudit(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def leaks(self, strategy: str) -> str:
        """Say in words what the strategy promises to keep apart, and did not; empty where it kept all."""
        return ", ".join(
            f"{name} {getattr(self, name)}" for name in PROMISES[strategy] if getattr(self, name)
        )


def audit(table: pd.DataFrame, side_px: int, nuclei: Mapping[str, pd.DataFrame]) -> LeakAudit:
    """Count exactly what the splits share.

    Parameters
    ----------
    table
        One row per patch: ``slide``, ``patient``, ``patch_id``, ``x_px``, ``y_px``, ``split`` (a name; null for none).
    side_px
        Side of a patch.
    nuclei
        ``patch_id`` and ``nucleus_id`` of every nucleus drawn in a patch, by slide; one slide is read at a time.
    """
    assigned = table[table["split"].isin(SPLIT_NAMES)]
    n_of = assigned.groupby("patient")["split"].nunique()
    found = LeakAudit(0, 0, 0, 0, int((n_of > 1).sum()))
    for slide, rows in assigned.groupby("slide", sort=True):
        pixels, patches = _shared_pixels(rows, side_px)
        split_of = rows.set_index("patch_id")["split"]
        shared = _shared_nuclei(split_of, nuclei[str(slide)])
        found += LeakAudit(pixels, patches, shared, int(rows["split"].nunique() > 1), 0)
    return found


def _shared_pixels(rows: pd.DataFrame, side_px: int) -> tuple[int, int]:
    """Paint the patches of every split on the slide; return the pixels painted twice, and the patches on them.

    The canvas has a cell between any two neighbouring edges of patches, so that it is exact and small.
    """
    x, y = (rows[name].to_numpy(dtype=np.int64) for name in ("x_px", "y_px"))
    x_edges, y_edges = (np.unique(np.concatenate([v, v + side_px])) for v in (x, y))
    left, right = np.searchsorted(x_edges, x), np.searchsorted(x_edges, x + side_px)
    top, bottom = np.searchsorted(y_edges, y), np.searchsorted(y_edges, y + side_px)
    shape = (len(y_edges), len(x_edges))
    layers = np.zeros(shape, dtype=np.uint8)
    for name in SPLIT_NAMES:
        mine = (rows["split"] == name).to_numpy()
        layers += _painted(shape, left[mine], top[mine], right[mine], bottom[mine])
    twice = layers > 1
    area = np.outer(np.append(np.diff(y_edges), 0), np.append(np.diff(x_edges), 0))
    total = np.pad(twice, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    inside = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    return int(area[twice].sum()), int((inside > 0).sum())


def _painted(
    shape: tuple[int, int],
    left: NDArray[np.int64],
    top: NDArray[np.int64],
    right: NDArray[np.int64],
    bottom: NDArray[np.int64],
) -> NDArray[np.bool_]:
    steps = np.zeros(shape, dtype=np.int64)
    for rows, columns, step in (
        (top, left, 1),
        (top, right, -1),
        (bottom, left, -1),
        (bottom, right, 1),
    ):
        np.add.at(steps, (rows, columns), step)
    return np.asarray(steps.cumsum(axis=0).cumsum(axis=1) > 0)


def _shared_nuclei(split_of: pd.Series[str], nuclei: pd.DataFrame) -> int:
    """Give every nucleus a bit for each split that shows it; count those with two bits."""
    bit_of_patch = np.zeros(
        int(max(split_of.index.max(), nuclei["patch_id"].max() if len(nuclei) else 0)) + 1,
        dtype=np.uint8,
    )
    for bit, name in enumerate(SPLIT_NAMES):
        bit_of_patch[split_of.index[split_of == name]] = 1 << bit
    bits = bit_of_patch[nuclei["patch_id"].to_numpy(dtype=np.int64)]
    ids, place = np.unique(nuclei["nucleus_id"].to_numpy(), return_inverse=True)
    seen_in = np.zeros(len(ids), dtype=np.uint8)
    for bit in range(len(SPLIT_NAMES)):
        seen_in[place[(bits >> bit & 1).astype(bool)]] |= np.uint8(1 << bit)
    return int((np.bitwise_count(seen_in) > 1).sum())
