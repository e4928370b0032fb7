"""For exports of whole slides: the slide of ``three_cells``, under several names."""

from __future__ import annotations

from pathlib import Path

from slides import three_cells
from sthelar_build.io.slide_files import WholeSlide
from sthelar_build.sheets import Slide

NAMES = ("tiny_s0", "other_s1")
_FILES = ("he", "transform", "nuclei", "cells", "transcripts", "bundle", "labels")


def whole_slides(folder: Path) -> list[WholeSlide]:
    """Write the slide under both names, and return what the exporters of whole slides take, sorted."""
    return [whole_slide(folder / name, name) for name in sorted(NAMES)]


def whole_slide(folder: Path, name: str) -> WholeSlide:
    """Write the slide under one name."""
    paths = three_cells.build(folder)
    return WholeSlide(row_of(name), **{file: paths[file] for file in _FILES})


def row_of(name: str) -> Slide:
    """Return a row of the sheet of slides."""
    values = {"patient": f"patient_{name}", "tissue": "Breast", "condition": "cancer"}
    files = {"xenium": "x", "he": "h", "alignment": "auto", "reference": "r", "predictions": ""}
    return Slide(slide=name, **values, **files)


def write_sheet(path: Path) -> None:
    """Write ``slides.tsv`` with both slides."""
    head = "slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\tpredictions\n"
    rows = [f"{name}\tpatient_{name}\tBreast\tcancer\tx\th\tauto\tr\t\n" for name in NAMES]
    path.write_text(head + "".join(rows))
