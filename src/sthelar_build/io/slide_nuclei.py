"""A slide as its nuclei are looked at: the H&E, the masks, and where every nucleus lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.masks import TABLE, Masks, open_masks
from sthelar_build.io.tables import read_table
from sthelar_build.io.transform import read_transform
from sthelar_build.schema.frames import PointMap
from sthelar_build.schema.tables import INSTANCES, NUCLEI, PATCHES
from sthelar_build.schema.words import NOT_DRAWN, OUTSIDE

_CACHE_BYTES = 3 * 2**27
"""Decoded tiles that are kept: two rows of those of 1024 px of the widest slides."""


@dataclass(frozen=True)
class SlideNuclei:
    """An open slide."""

    he: HeImage
    masks: Masks
    patches: pd.DataFrame
    """PATCHES, the whole grid."""
    table: pd.DataFrame
    """``nucleus_id``, ``cell_id``, ``x_um``, ``y_um`` of all nuclei, n rows."""
    appearances: pd.DataFrame
    """``patch_id``, ``nucleus_id``, ``visible_px`` of the nuclei in all masks."""
    um_to_he: PointMap

    @property
    def ids(self) -> NDArray[np.int64]:
        """(n,): the nucleus ids."""
        return self.table["nucleus_id"].to_numpy(np.int64)

    @property
    def um_per_px(self) -> float:
        """Size of the pixels of the patches."""
        return float(self.masks.manifest["um_per_px"])

    @cached_property
    def centres_he_px(self) -> NDArray[np.float64]:
        """(n, 2): x, y of the centroids on level 0."""
        return self.um_to_he.apply(self.table[["x_um", "y_um"]].to_numpy(np.float64))

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """(n,): which nuclei are in a mask."""
        return self.table["nucleus_id"].isin(self.appearances["nucleus_id"]).to_numpy(np.bool_)

    @property
    def on_image(self) -> NDArray[np.bool_]:
        """(n,): which nuclei have their centre on the H&E."""
        return self._within(self.he.width_px, self.he.height_px)

    def reasons(self, seen: NDArray[np.bool_]) -> pd.Categorical:
        """Return why the nuclei that are not ``seen`` are not: no complete patch is there, or no mask shows them."""
        kept = self.patches[self.patches["complete"]]
        right = float((kept["x_he_px"] + kept["side_he_px"]).max()) if len(kept) else 0.0
        bottom = float((kept["y_he_px"] + kept["side_he_px"]).max()) if len(kept) else 0.0
        words = np.where(self._within(right, bottom), NOT_DRAWN, OUTSIDE).astype(object)
        words[seen] = None
        return pd.Categorical(words, categories=[NOT_DRAWN, OUTSIDE])

    def _within(self, width_he_px: float, height_he_px: float) -> NDArray[np.bool_]:
        limits = np.array([width_he_px, height_he_px])
        return np.asarray(
            ((self.centres_he_px >= 0) & (self.centres_he_px < limits)).all(axis=1), np.bool_
        )


@contextmanager
def open_slide_nuclei(
    he: Path, masks: Path, patches: Path, nuclei: Path, transform: Path
) -> Iterator[SlideNuclei]:
    """Open the H&E, the folder ``masks``, and the tables of a slide."""
    drawn = open_masks(masks)
    grid = read_table(patches, PATCHES)
    table = read_table(nuclei, NUCLEI, ["nucleus_id", "cell_id", "x_um", "y_um"])
    columns = ["patch_id", "nucleus_id", "visible_px"]
    appearances = read_table(masks / TABLE, INSTANCES, columns)
    um_to_he = read_transform(transform).um_to_he
    with open_he(he, _CACHE_BYTES) as image:
        yield SlideNuclei(image, drawn, grid, table, appearances, um_to_he)
