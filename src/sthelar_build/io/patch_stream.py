"""The patches of all slides as a stream: image, masks and facts of one patch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.patches import class_counts, renumbered, type_map
from sthelar_build.errors import InputError
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.masks import TABLE, Masks, open_masks
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.schema.tables import CELLS, INSTANCES, METRIC_NAMES, METRICS, NUCLEI, PATCHES


@dataclass(frozen=True)
class SlideFiles:
    """What a slide brings to a dataset."""

    slide: str
    tissue: str
    he: Path
    patches: Path
    masks: Path
    """``manifest.json`` of the folder of masks."""
    metrics: Path
    nuclei: Path
    cells: Path


class Patch:
    """One patch; its image and masks are read when they are first asked for, while the stream is at it."""

    def __init__(
        self, row: Any, slide: SlideFiles, side_px: int, he: HeImage, masks: Masks
    ) -> None:
        self._row, self._side_px, self._he, self._masks = row, side_px, he, masks
        self.slide, self.tissue = slide.slide, slide.tissue
        self.patch_id = int(row.patch_id)
        self.split: str | None = row.split
        """train, valid or test; None where the patch is in none."""
        self.counts: NDArray[np.uint16] = np.array(
            [getattr(row, name) for name in PATCH_CLASS_NAMES], dtype=np.uint16
        )
        """Nuclei in the mask per class."""

    @property
    def name(self) -> str:
        """``{slide}_{patch_id}``: unique over slides, and the stem of every file of the patch."""
        return f"{self.slide}_{self.patch_id}"

    @property
    def metrics(self) -> dict[str, float | None]:
        """Dice, Jaccard and bPQ; None where missing."""
        values = {name: getattr(self._row, name) for name in METRIC_NAMES}
        return {name: None if pd.isna(value) else float(value) for name, value in values.items()}

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        """RGB (y, x, 3)."""
        return self._he.read_area(
            self._row.x_he_px, self._row.y_he_px, self._row.side_he_px, self._side_px
        )

    @cached_property
    def instances(self) -> NDArray[np.uint32]:
        """Nucleus ids of the slide (y, x), 0 is background."""
        return self._masks.instances(self.patch_id)

    @cached_property
    def _renumbered(self) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
        return renumbered(self.instances)

    @property
    def dense(self) -> NDArray[np.int32]:
        """Instances 1..n (y, x), in the order of the nucleus ids."""
        return self._renumbered[0]

    @property
    def nucleus_ids(self) -> NDArray[np.uint32]:
        """The nucleus id of every instance 1..n."""
        return self._renumbered[1]

    @cached_property
    def class_of(self) -> NDArray[np.uint8]:
        """The class index 1..9 of every instance 1..n."""
        rows = self._masks.table
        start, stop = np.searchsorted(rows["patch_id"], [self.patch_id, self.patch_id + 1])
        known = rows["nucleus_id"].to_numpy()[start:stop]
        order = np.argsort(known)
        if not np.array_equal(known[order], self.nucleus_ids):
            raise InputError(
                f"slide {self.slide}, patch {self.patch_id}: expected the nuclei of its mask in instances.parquet, "
                "found others; make the masks again"
            )
        return np.asarray(rows["class_index"].to_numpy()[start:stop][order], dtype=np.uint8)

    @property
    def types(self) -> NDArray[np.uint8]:
        """Class index of every pixel (y, x), 0 is background."""
        return type_map(self.dense, self.class_of)


class PatchSource:
    """Patches of several slides, in the order of slide name and patch id; iterate as often as you like."""

    def __init__(
        self, slides: Sequence[SlideFiles], tables: Sequence[pd.DataFrame], side_px: int
    ) -> None:
        """Take the files of every slide and the rows of ``patch_table`` to be streamed."""
        pairs = sorted(zip(slides, tables, strict=True), key=lambda pair: pair[0].slide)
        self._files = {files.slide: files for files, _ in pairs}
        self._tables = {files.slide: table for files, table in pairs}
        self.side_px = side_px

    @property
    def slides(self) -> list[str]:
        """Names of the slides that have patches, sorted."""
        return [slide for slide, table in self._tables.items() if len(table)]

    @property
    def tissues(self) -> list[str]:
        """Names of their tissues, sorted."""
        return sorted({self._files[slide].tissue for slide in self.slides})

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per patch of the stream, in its order: name, slide, tissue, split, metrics, classes."""
        tables = [
            table.assign(slide=slide, tissue=self._files[slide].tissue)
            for slide, table in self._tables.items()
        ]
        joined = pd.concat(tables, ignore_index=True)
        return joined.assign(name=joined["slide"] + "_" + joined["patch_id"].astype(str))

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Patch]:
        for slide in self.slides:
            yield from self.of_slide(slide)

    def of_slide(self, slide: str) -> Iterator[Patch]:
        """Stream the patches of one slide."""
        return self._stream(slide, self._tables[slide])

    def of_split(self, split: str) -> Iterator[Patch]:
        """Stream the patches of one split."""
        for slide, table in self._tables.items():
            yield from self._stream(slide, table[table["split"] == split])

    def foreground_px(self, slide: str) -> int:
        """Return the number of nucleus pixels in all patches of a slide."""
        table = self._files[slide].masks.parent / TABLE
        rows = read_table(table, INSTANCES, ["patch_id", "visible_px"])
        inside = rows["patch_id"].isin(self._tables[slide]["patch_id"])
        return int(rows.loc[inside, "visible_px"].sum())

    def cells(self, slide: str) -> pd.DataFrame:
        """Return ``cell_number`` and ``cell_id`` of every cell of a slide."""
        return read_table(self._files[slide].cells, CELLS, ["cell_number", "cell_id"])

    def cell_numbers(self, slide: str) -> NDArray[np.uint32]:
        """Return the cell number of every nucleus of a slide; the index is the nucleus id, 0 is background."""
        nuclei = read_table(self._files[slide].nuclei, NUCLEI, ["nucleus_id", "cell_id"])
        cells = self.cells(slide).set_index("cell_id")["cell_number"]
        numbers = np.zeros(
            int(nuclei["nucleus_id"].max()) + 1 if len(nuclei) else 1, dtype=np.uint32
        )
        numbers[nuclei["nucleus_id"]] = cells.loc[nuclei["cell_id"]].to_numpy()
        return numbers

    def _stream(self, slide: str, table: pd.DataFrame) -> Iterator[Patch]:
        if table.empty:
            return
        files = self._files[slide]
        masks = open_masks(files.masks.parent)
        with open_he(files.he) as he:
            for row in table.itertuples(index=False):
                yield Patch(row, files, self.side_px, he, masks)


def patch_table(patches: Path, masks: Path, metrics: Path) -> pd.DataFrame:
    """Return the whole grid of a slide: PATCHES, the metrics, one column per class, ``n_nuclei``.

    ``masks`` is the manifest of the folder of masks; counts are of nuclei in the mask. Metrics are NaN where missing.
    """
    grid = read_table(patches, PATCHES)
    instances = read_table(masks.parent / TABLE, INSTANCES, ["patch_id", "class_index"])
    rows = np.searchsorted(grid["patch_id"], instances["patch_id"])
    counts = class_counts(
        rows, instances["class_index"].to_numpy(), len(grid), len(PATCH_CLASS_NAMES)
    )
    scores = read_table(metrics, METRICS, ["patch_id", *METRIC_NAMES])
    if not scores["patch_id"].equals(grid["patch_id"]):
        raise InputError(
            f"{metrics}: expected one row per patch of {patches}, found others; delete it and run again"
        )
    classes = pd.DataFrame(counts, columns=list(PATCH_CLASS_NAMES))
    table = pd.concat([grid, scores.drop(columns="patch_id"), classes], axis=1)
    return table.assign(n_nuclei=counts.sum(axis=1, dtype=np.int64))


def patch_geometry(patches: Path) -> tuple[int, float]:
    """Return side (px) and pixel size (um) of the patches of a slide."""
    attributes = read_attributes(patches)
    return int(attributes["side_px"]), float(attributes["um_per_px"])


def common_side_px(patches: Iterable[Path]) -> int:
    """Return the side of the patches of all slides; InputError if they differ."""
    sides = {path: patch_geometry(path)[0] for path in patches}
    first = next(iter(sides))
    if set(sides.values()) != {sides[first]}:
        raise InputError(
            f"{first}: expected patches of one size in all slides, found {sorted(set(sides.values()))} px; "
            "run tile again for all"
        )
    return sides[first]
