"""The patches of all slides as a stream: image, masks and facts of one patch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.patches import class_counts
from sthelar_build.errors import InputError
from sthelar_build.io.masks import TABLE
from sthelar_build.io.slide_patches import Patch, open_slide_patches
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.schema.tables import CELLS, INSTANCES, METRIC_NAMES, METRICS, NUCLEI, PATCHES

Result = TypeVar("Result")


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
    labels: Path


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

    def files(self, slide: str) -> SlideFiles:
        """Return the files of a slide."""
        return self._files[slide]

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

    def n_patches(self, slide: str) -> int:
        """Return the number of patches of a slide."""
        return len(self._tables[slide])

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Patch]:
        for slide in self.slides:
            yield from self.of_slide(slide)

    def each(
        self, work: Callable[[Patch], Result], threads: int = 1
    ) -> Iterator[tuple[Patch, Result]]:
        """Yield every patch, in order, with ``work(patch)``.

        Several threads read, decode and work; what is slow in ``work`` has to let go of the interpreter's lock.
        """
        for slide in self.slides:
            yield from self.each_of_slide(slide, work, threads)

    def each_of_slide(
        self, slide: str, work: Callable[[Patch], Result], threads: int = 1
    ) -> Iterator[tuple[Patch, Result]]:
        """Yield every patch of one slide, in order, with ``work(patch)``."""
        return self._stream(slide, self._tables[slide], work, threads)

    def of_slide(self, slide: str) -> Iterator[Patch]:
        """Stream the patches of one slide."""
        return (patch for patch, _ in self.each_of_slide(slide, _nothing))

    def each_of_split(
        self, split: str, work: Callable[[Patch], Result], threads: int = 1
    ) -> Iterator[tuple[Patch, Result]]:
        """Yield every patch of one split, in order, with ``work(patch)``."""
        for slide, table in self._tables.items():
            yield from self._stream(slide, table[table["split"] == split], work, threads)

    def of_split(self, split: str) -> Iterator[Patch]:
        """Stream the patches of one split."""
        return (patch for patch, _ in self.each_of_split(split, _nothing))

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

    def _stream(
        self, slide: str, table: pd.DataFrame, work: Callable[[Patch], Result], threads: int
    ) -> Iterator[tuple[Patch, Result]]:
        if table.empty:
            return
        files = self._files[slide]
        with open_slide_patches(
            slide, files.tissue, self.side_px, files.he, files.masks.parent
        ) as patches:
            yield from patches.each(table, work, threads)


def _nothing(patch: Patch) -> None:
    """Ask nothing of a patch but that it comes."""


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
