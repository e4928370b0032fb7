"""The patches of one slide, read stretch by stretch: neighbours share one window of the H&E and one read of the masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.csr_maps import CsrMap, csr_map
from sthelar_build.core.he_window import HeWindow
from sthelar_build.core.patches import renumbered, type_map
from sthelar_build.errors import InputError
from sthelar_build.io.he_blocks import area_of, neighbours, window_under
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.masks import TABLE, Masks, open_masks
from sthelar_build.io.tables import read_table
from sthelar_build.io.workers import map_threads
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.schema.tables import INSTANCES, METRIC_NAMES

Result = TypeVar("Result")

_CACHE_BYTES = 3 * 2**27
"""Decoded tiles that are kept: two rows of those of 1024 px of the widest slides."""


@dataclass(frozen=True, eq=False)
class SlidePatches:
    """An open slide, of which any patches of the grid can be read."""

    slide: str
    tissue: str
    side_px: int
    he: HeImage
    masks: Masks
    nucleus_ids: NDArray[np.uint32]
    """Of every appearance of a nucleus in a patch, by patch and nucleus."""
    class_index: NDArray[np.uint8]
    first_of_patch: NDArray[np.int64]
    """(n_patches + 1,): number of the first appearance of every patch of the grid."""

    def each(
        self, table: pd.DataFrame, work: Callable[[Patch], Result], threads: int
    ) -> Iterator[tuple[Patch, Result]]:
        """Yield the patches of the rows of a ``patch_table``, in order, with ``work(patch)``, done by several threads."""

        def done(rows: list[Any]) -> list[tuple[Patch, Result]]:
            stretch = _Stretch(self, rows)
            pairs = [(patch, _worked_on(patch, work)) for patch in stretch.patches()]
            stretch.release()
            return pairs

        for pairs in map_threads(
            done, neighbours(table, self.side_px, self.masks.together), threads
        ):
            yield from pairs


@contextmanager
def open_slide_patches(
    slide: str, tissue: str, side_px: int, he: Path, masks: Path
) -> Iterator[SlidePatches]:
    """Open the H&E and the folder of masks of a slide."""
    drawn = open_masks(masks)
    rows = read_table(masks / TABLE, INSTANCES, ["patch_id", "nucleus_id", "class_index"])
    rows = rows.sort_values(["patch_id", "nucleus_id"], kind="stable")
    first = np.searchsorted(rows["patch_id"], np.arange(drawn.n_patches + 1))
    nucleus_ids = rows["nucleus_id"].to_numpy(np.uint32)
    class_index = rows["class_index"].to_numpy(np.uint8)
    with open_he(he, _CACHE_BYTES) as image:
        yield SlidePatches(slide, tissue, side_px, image, drawn, nucleus_ids, class_index, first)


def _worked_on(patch: Patch, work: Callable[[Patch], Result]) -> Result:
    """Return what is made of a patch, and let go of what was read for it: results wait for their turn."""
    result = work(patch)
    patch.release()
    return result


class Patch:
    """One patch; its image and masks are read when they are first asked for, while the stream is at it.

    Arrays are kept once made. There is no lock: a patch is worked on by one thread at a time.
    """

    def __init__(self, row: Any, stretch: _Stretch) -> None:
        self._row, self._stretch = row, stretch
        self.slide, self.tissue = stretch.source.slide, stretch.source.tissue
        self.side_px = stretch.source.side_px
        self.patch_id = int(row.patch_id)
        self.split: str | None = row.split
        """train, valid or test; None where the patch is in none."""
        self.counts: NDArray[np.uint16] = np.array(
            [getattr(row, name) for name in PATCH_CLASS_NAMES], dtype=np.uint16
        )
        """Nuclei in the mask per class."""
        self._image: NDArray[np.uint8] | None = None
        self._dense: NDArray[np.int32] | None = None
        self._sparse: CsrMap | None = None

    @property
    def name(self) -> str:
        """``{slide}_{patch_id}``: unique over slides, and the stem of every file of the patch."""
        return f"{self.slide}_{self.patch_id}"

    @property
    def metrics(self) -> dict[str, float | None]:
        """Dice, Jaccard and bPQ; None where missing."""
        values = {name: getattr(self._row, name) for name in METRIC_NAMES}
        return {name: None if pd.isna(value) else float(value) for name, value in values.items()}

    @property
    def image(self) -> NDArray[np.uint8]:
        """RGB (y, x, 3)."""
        if self._image is None:
            self._image = area_of(self._stretch.pixels, self._row, self.side_px)
        return self._image

    def release(self) -> None:
        """Let go of the arrays; whoever asks for them again has them read again."""
        self._image = self._dense = self._sparse = None

    @property
    def instances(self) -> NDArray[np.uint32]:
        """Nucleus ids of the slide (y, x), 0 is background."""
        return np.asarray(self._stretch.maps[self.patch_id - self._stretch.first_patch])

    @property
    def dense(self) -> NDArray[np.int32]:
        """Instances 1..n (y, x), in the order of the nucleus ids."""
        if self._dense is None:
            try:
                self._dense = renumbered(self.instances, self.nucleus_ids)
            except ValueError as error:
                raise InputError(
                    f"slide {self.slide}, patch {self.patch_id}: expected the nuclei of its mask in instances.parquet, "
                    "found others; make the masks again"
                ) from error
        return self._dense

    @property
    def sparse(self) -> CsrMap:
        """The same in sparse form."""
        if self._sparse is None:
            self._sparse = csr_map(self.dense)
        return self._sparse

    @property
    def nucleus_ids(self) -> NDArray[np.uint32]:
        """The nucleus id of every instance 1..n."""
        return self._stretch.source.nucleus_ids[self._appearances]

    @property
    def class_of(self) -> NDArray[np.uint8]:
        """The class index 1..9 of every instance 1..n."""
        return self._stretch.source.class_index[self._appearances]

    @property
    def types(self) -> NDArray[np.uint8]:
        """Class index of every pixel (y, x), 0 is background."""
        return type_map(self.dense, self.class_of)

    @property
    def _appearances(self) -> slice:
        first, last = self._stretch.source.first_of_patch[self.patch_id : self.patch_id + 2]
        return slice(int(first), int(last))


class _Stretch:
    """Neighbours in one row of the grid, and what they share."""

    def __init__(self, source: SlidePatches, rows: list[Any]) -> None:
        self.source, self._rows = source, rows
        self.first_patch = int(rows[0].patch_id)
        self._pixels: HeWindow | None = None
        self._maps: NDArray[np.uint32] | None = None

    def patches(self) -> Iterator[Patch]:
        """Yield the patches, left to right."""
        return (Patch(row, self) for row in self._rows)

    def release(self) -> None:
        """Let go of what was read; whoever asks for it again has it read again."""
        self._pixels = self._maps = None

    @property
    def pixels(self) -> HeWindow:
        """The H&E under all of them."""
        if self._pixels is None:
            self._pixels = window_under(self.source.he, self._rows)
        return self._pixels

    @property
    def maps(self) -> NDArray[np.uint32]:
        """Instance maps from the first to the last patch."""
        if self._maps is None:
            last = int(self._rows[-1].patch_id)
            self._maps = self.source.masks.instances_between(self.first_patch, last + 1)
        return self._maps
