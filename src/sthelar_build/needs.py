"""How much memory and time a job may take: by its stage, and by the raw size of its slides.

The figures of ``needs.csv`` are fitted to what ``benchmarks/whole_slide.py`` measures, without any margin: the margin is here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from sthelar_build.settings.base import Settings
from sthelar_build.settings.simulate import SimulateSettings

Driver = Literal["kcells", "mtranscripts", "he_mpx"]
Slides = Literal["all", "largest"]

_MARGIN_MEMORY = 1.5
_MARGIN_TIME = 4.0
"""Disks and processors differ more than memory does."""
_LEAST_MB, _LEAST_MINUTES = 1000, 20
_BYTES_PER_KCELL = 45e3
_BYTES_PER_MTRANSCRIPT = 28e6
_BYTES_PER_MPX = 0.4e6
"""Of a pyramid of JPEG tiles."""
_KCELLS_PER_MM2 = 8.5
"""Of a simulated slide."""
_FIELDS: tuple[Driver, ...] = ("kcells", "mtranscripts", "he_mpx")
_FILES = {
    "kcells": ("cells.parquet", "cells.csv.gz", "cells.csv"),
    "mtranscripts": ("transcripts.parquet", "transcripts.csv.gz", "transcripts.csv"),
}


@dataclass(frozen=True)
class RawSize:
    """The size of the raw files of one slide, or of several together, guessed from their bytes; 0 for what is not there."""

    kcells: float = 0
    """Thousands of cells."""
    mtranscripts: float = 0
    """Millions of transcripts."""
    he_mpx: float = 0
    """Millions of pixels of the H&E."""

    def of(self, driver: Driver) -> float:
        """Return the size by its name."""
        return {
            "kcells": self.kcells,
            "mtranscripts": self.mtranscripts,
            "he_mpx": self.he_mpx,
        }[driver]

    def with_grown_cells(self) -> RawSize:
        """Return the size of a slide whose cells ``ingest`` grows around nuclei that are not those of the bundle.

        To grow a cell, and to give it its transcripts, takes as much again as to read one.
        """
        return replace(self, kcells=2 * self.kcells, mtranscripts=2 * self.mtranscripts)


def raw_size(slides: Iterable[tuple[Path, Path]]) -> RawSize:
    """Return the size of slides from their Xenium folders and H&E; nothing is opened."""
    cells = transcripts = he = 0
    for xenium, image in slides:
        cells += _bytes_of(xenium, _FILES["kcells"])
        transcripts += _bytes_of(xenium, _FILES["mtranscripts"])
        he += _bytes_of_slide(image)
    return RawSize(
        cells / _BYTES_PER_KCELL, transcripts / _BYTES_PER_MTRANSCRIPT, he / _BYTES_PER_MPX
    )


def largest_size(slides: Iterable[tuple[Path, Path]]) -> RawSize:
    """Return the size of the largest slide; of each kind of file, so that no slide is larger in any respect."""
    sizes = [raw_size([slide]) for slide in slides]
    return RawSize(*(max((size.of(driver) for size in sizes), default=0) for driver in _FIELDS))


def recipe_size(recipe: SimulateSettings) -> RawSize:
    """Return the size of a slide that is to be simulated: ``kcells`` of one block, which is in memory, ``he_mpx`` of all."""
    area_mm2 = recipe.width_um * recipe.height_um / 1e6
    n_blocks = recipe.mosaic_columns * recipe.mosaic_rows
    kcells = _KCELLS_PER_MM2 * area_mm2 * max(recipe.cell_density, 1)
    return RawSize(kcells=kcells, he_mpx=n_blocks * area_mm2 / recipe.he_um_per_px**2)


def _bytes_of(folder: Path, names: tuple[str, ...]) -> int:
    return next((path.stat().st_size for path in (folder / n for n in names) if path.is_file()), 0)


def _bytes_of_slide(image: Path) -> int:
    """MRXS keeps its pixels in a folder of its name, beside the file."""
    beside = image.with_suffix("")
    parts = [image]
    if image.suffix.lower() == ".mrxs" and beside.is_dir():
        parts += beside.iterdir()
    return sum(path.stat().st_size for path in parts if path.is_file())


class Need(Settings):
    """What a job of one stage took, as a line over the size of its slides."""

    mb_slides: Slides
    """Whose size counts: of all slides of the job, or of the largest, where one is forgotten before the next is read."""
    mb: float
    mb_each: float
    mb_of: Driver
    mb_per_thread: float
    minutes: float
    minutes_each: float
    minutes_of: Driver

    def mem_mb(self, size: RawSize, threads: int = 1, attempt: int = 1) -> int:
        """Return the memory to ask for, in MB; every attempt asks for as much again."""
        taken = self.mb + self.mb_each * size.of(self.mb_of)
        taken += self.mb_per_thread * (threads - 1)
        return attempt * max(_LEAST_MB, round(_MARGIN_MEMORY * taken))

    def runtime(self, size: RawSize, attempt: int = 1) -> int:
        """Return the time to ask for, in minutes, as one core takes; every attempt asks for as much again."""
        taken = self.minutes + self.minutes_each * size.of(self.minutes_of)
        return attempt * max(_LEAST_MINUTES, round(_MARGIN_TIME * taken))


@cache
def needs() -> dict[str, Need]:
    """Return the line of every stage."""
    with resources.files(__package__).joinpath("needs.csv").open(encoding="utf-8") as file:
        return {row.pop("stage"): Need.model_validate(row) for row in csv.DictReader(file)}
