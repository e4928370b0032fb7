"""STimage-1K4M: a whole-slide PNG, spots with their places on it, and their counts, as csv."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from sthelar_build.errors import InputError
from sthelar_build.io.images.he import open_he
from sthelar_build.io.large_png import write_png
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_files import WholeSlide
from sthelar_build.io.spots import Spots, read_spots
from sthelar_build.settings.export_slides import ExportSlidesSettings

logger = logging.getLogger(__name__)

ON_HE = True

_TECHNOLOGY = "Xenium"
_COORDINATES = ["yaxis", "xaxis", "r"]
_META = (
    "slide", "species", "tissue", "pmid", "title", "abstract", "keywords", "involve_cancer", "tech",
    "spot_num", "gene_num",
)  # fmt: skip
_ROWS_AT_A_TIME = 500
_DIGITS = 3
_CACHE_BYTES = 2**28
"""Decoded tiles that are kept: a row of those of 1024 px of the widest slides, and more."""


def write(
    slides: list[WholeSlide], out: Path, settings: ExportSlidesSettings, threads: int
) -> None:
    """Write ``Xenium/{coord,gene_exp,image}/``, ``meta/meta_all_gene.csv``, and ``meta/scale.csv``.

    The last is ours: what a pixel and a spot are in um, and where the lattice begins.
    """
    for kind in ("coord", "gene_exp", "image"):
        (out / _TECHNOLOGY / kind).mkdir(parents=True)
    meta, scales = [], []
    for slide in progress(slides, "slides", len(slides)):
        spots = read_spots(slide, settings)
        scale_xy = _write_image(slide, _path(out, "image", slide.name), settings)
        um_per_px = slide.placed.he_um_per_px / max(scale_xy)
        _write_places(slide, spots, scale_xy, _path(out, "coord", slide.name))
        _write_counts(slide, spots, _path(out, "gene_exp", slide.name))
        meta.append(_meta(slide, spots, settings))
        scales.append(_scale(slide, um_per_px, settings))
    (out / "meta").mkdir()
    for name, rows in (("meta_all_gene", meta), ("scale", scales)):
        table = pd.DataFrame(rows)
        table.to_csv(out / "meta" / f"{name}.csv", index=False, quoting=csv.QUOTE_NONNUMERIC)


def validate(folder: Path) -> None:
    """Raise InputError unless every image opens and holds its spots, and spots and genes agree in all tables."""
    meta = pd.read_csv(folder / "meta" / "meta_all_gene.csv")
    if tuple(meta.columns) != _META:
        raise InputError(f"{folder}: expected the columns {', '.join(_META)}, found {list(meta)}")
    for row in meta.itertuples(index=False):
        flaw = _flaw(folder, row)
        if flaw:
            raise InputError(f"{folder}: {row.slide}: found {flaw}; export it again")


def _path(out: Path, kind: str, slide: str) -> Path:
    name = {
        "coord": f"{slide}_coord.csv",
        "gene_exp": f"{slide}_count.csv",
        "image": f"{slide}.png",
    }
    return out / _TECHNOLOGY / kind / name[kind]


def _write_image(
    slide: WholeSlide, path: Path, settings: ExportSlidesSettings
) -> tuple[float, float]:
    """Write the H&E at the size of pixel asked for, and return its px per level-0 px, in x and in y.

    The image is never enlarged. Sides are whole pixels: the two differ by less than a pixel over the whole image.
    """
    with open_he(slide.he, _CACHE_BYTES) as he:
        factor = max(1.0, settings.stimage_um_per_px / slide.placed.he_um_per_px)
        columns, rows = (max(1, round(side / factor)) for side in (he.width_px, he.height_px))
        scale_xy = columns / he.width_px, rows / he.height_px
        um_per_px = slide.placed.he_um_per_px / max(scale_xy)
        write_png(path, columns, rows, he.bands(columns, rows), um_per_px)
    logger.info("%s: image of %d x %d px, %.4f um/px", slide.name, columns, rows, um_per_px)
    return scale_xy


def _write_places(
    slide: WholeSlide, spots: Spots, scale_xy: tuple[float, float], path: Path
) -> None:
    across, down = scale_xy
    places = pd.DataFrame(
        {
            "yaxis": spots.table["y_he_px"] * down,
            "xaxis": spots.table["x_he_px"] * across,
            "r": spots.diameter_he_px * max(scale_xy) / 2,
        }
    ).round(_DIGITS)
    places.set_axis(_names(slide, spots)).to_csv(path)


def _write_counts(slide: WholeSlide, spots: Spots, path: Path) -> None:
    names, genes = _names(slide, spots), spots.genes["name"]
    with path.open("x", encoding="utf-8", newline="") as file:
        pd.DataFrame(columns=genes.to_list()).to_csv(file)
        for start in range(0, len(names), _ROWS_AT_A_TIME):
            part = slice(start, start + _ROWS_AT_A_TIME)
            rows = pd.DataFrame(spots.counts[part].toarray(), index=names[part])
            rows.to_csv(file, header=False)


def _names(slide: WholeSlide, spots: Spots) -> list[str]:
    return [f"{slide.name}_{barcode}" for barcode in spots.table.index]


def _meta(slide: WholeSlide, spots: Spots, settings: ExportSlidesSettings) -> dict[str, Any]:
    known = {
        "slide": slide.name,
        "species": settings.species,
        "tissue": slide.row.tissue,
        "involve_cancer": slide.row.condition == "cancer",
        "tech": _TECHNOLOGY,
        "spot_num": len(spots.table),
        "gene_num": len(spots.genes),
    }
    return {name: known.get(name, "") for name in _META}


def _scale(slide: WholeSlide, um_per_px: float, settings: ExportSlidesSettings) -> dict[str, Any]:
    lattice = settings.model_dump(include={"spot_layout", "spot_um", "spot_spacing_um"})
    origin = {"origin_x_um": 0.0, "origin_y_um": 0.0}
    return {"slide": slide.name, "um_per_px": um_per_px, **lattice, **origin}


def _flaw(folder: Path, row: Any) -> str | None:
    places = pd.read_csv(_path(folder, "coord", row.slide), index_col=0)
    counted = _path(folder, "gene_exp", row.slide)
    names = pd.read_csv(counted, usecols=[0]).iloc[:, 0]
    genes = pd.read_csv(counted, index_col=0, nrows=0).columns
    if list(places.columns) != _COORDINATES:
        return f"coordinates {', '.join(places.columns)}"
    if names.to_list() != places.index.to_list() or len(names) != row.spot_num:
        return "other spots in coord, gene_exp and meta"
    if len(genes) != row.gene_num:
        return f"{len(genes)} genes, and {row.gene_num} in meta"
    with _any_size(), Image.open(_path(folder, "image", row.slide)) as image:
        width, height = image.size
        image.verify()
    inside = places["xaxis"].between(0, width) & places["yaxis"].between(0, height)
    return None if inside.all() else "spots beside the image"


@contextmanager
def _any_size() -> Iterator[None]:
    """Lift Pillow's limit, as readers of the format have to; the pixels are not decoded here."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
