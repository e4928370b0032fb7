"""HEST-1k: pseudo-Visium spots with counts, patches and metadata, a plain pyramid, and Xenium's outlines on the H&E."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sthelar_build.core.hest_samples import (
    DISEASE_STATES,
    FIELDS,
    clash,
    magnification,
    sample_record,
)
from sthelar_build.core.spot_squares import SpotSquares, squares_around
from sthelar_build.core.stain import tissue_mask
from sthelar_build.core.tiling import box_shares
from sthelar_build.core.tissue import TissueMap
from sthelar_build.errors import InputError
from sthelar_build.io.geoparquet import opens, write_outlines
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.jpeg import write_jpeg
from sthelar_build.io.plain_pyramid import write_plain_pyramid
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_files import WholeSlide
from sthelar_build.io.spot_patches import patch_middles, write_spot_patches
from sthelar_build.io.spot_tables import IMAGE, spot_anndata
from sthelar_build.io.spots import Spots, read_spots
from sthelar_build.io.transform import check_image_size
from sthelar_build.settings.export_slides import ExportSlidesSettings
from sthelar_build.settings.tile import TileSettings

logger = logging.getLogger(__name__)

ON_HE = True
_FOLDERS = ("metadata", "wsis", "st", "patches", "thumbnails", "tissue_seg", "xenium_seg")
"""``tissue_seg`` stays empty: the reader of HEST asks for it all the same."""
_THUMBNAIL_PX = 1000
_THUMBNAIL_QUALITY = 90
_CACHE_BYTES = 2**28
"""Decoded tiles that are kept: a row of those of 1024 px of the widest slides, and more."""
_OUTLINE = [("cell_id", pa.string()), ("class", pa.string()), ("geometry", pa.binary())]
_OUTLINES = {
    "cell": pa.schema(_OUTLINE),
    "nucleus": pa.schema([*_OUTLINE, ("nucleus_id", pa.uint32())]),
}


def write(
    slides: list[WholeSlide], out: Path, settings: ExportSlidesSettings, threads: int
) -> None:
    """Write the folders of HEST, the id of a sample being the name of its slide, and ``HEST_v1_x_0.csv``."""
    clashing = clash([slide.name for slide in slides])
    if clashing:
        raise InputError(
            f"hest: expected ids of which none is the end of another, found slides {' and '.join(clashing)}; "
            "rename one, or leave the format out"
        )
    for folder in _FOLDERS:
        (out / folder).mkdir(parents=True)
    shown = progress(slides, "slides", len(slides))
    rows = [_write_slide(slide, out, settings, threads) for slide in shown]
    pd.DataFrame(rows, columns=list(FIELDS)).to_csv(out / "HEST_v1_x_0.csv", index=False)


def validate(folder: Path) -> None:
    """Raise InputError unless anndata, h5py, tifffile and geopandas read what the reader of HEST asks for."""
    for path in sorted((folder / "metadata").glob("*.json")):
        metadata = json.loads(path.read_text(encoding="utf-8"))
        flaw = _flaw(folder, metadata)
        if flaw:
            raise InputError(f"{folder}: {path.stem}: found {flaw}; export it again")
    if not (folder / "tissue_seg").is_dir():
        raise InputError(f"{folder}: expected a folder tissue_seg, found none; export it again")


def _write_slide(
    slide: WholeSlide, out: Path, settings: ExportSlidesSettings, threads: int
) -> dict[str, Any]:
    spots = read_spots(slide, settings)
    with open_he(slide.he, _CACHE_BYTES) as he:
        check_image_size(slide.transform, slide.placed, slide.he, he.width_px, he.height_px)
        um_per_px = slide.placed.he_um_per_px
        write_plain_pyramid(out / "wsis" / f"{slide.name}.tif", he, um_per_px, threads)
        in_tissue = _write_spots(slide, spots, he, out, settings, threads)
        metadata = _metadata(slide, spots, he, settings, int(in_tissue.sum()))
    for kind, parts in (("cell", slide.cells_on_he()), ("nucleus", slide.nuclei_on_he())):
        named = (part.rename(columns={"final_label": "class"}) for part in parts)
        path = out / "xenium_seg" / f"{slide.name}_xenium_{kind}_seg.parquet"
        write_outlines(path, named, "cell_id", _OUTLINES[kind])
    text = json.dumps(metadata | {"sthelar": _facts(slide, settings)}, indent=2, allow_nan=False)
    (out / "metadata" / f"{slide.name}.json").write_text(text + "\n", encoding="utf-8")
    return metadata


def _write_spots(
    slide: WholeSlide,
    spots: Spots,
    he: HeImage,
    out: Path,
    settings: ExportSlidesSettings,
    threads: int,
) -> NDArray[np.bool_]:
    """Write counts, thumbnail and patches, and return which spots lie on tissue."""
    centres = spots.table[["x_he_px", "y_he_px"]].to_numpy(dtype=np.float64)
    mask = _tissue(he, slide.placed.he_um_per_px)
    in_tissue = TissueMap(mask, he.width_px, he.height_px).at(centres)
    thumbnail = he.thumbnail(_THUMBNAIL_PX)
    picture = out / "thumbnails" / f"{slide.name}_{IMAGE}.jpeg"
    write_jpeg(picture, thumbnail, quality=_THUMBNAIL_QUALITY)
    scale = max(thumbnail.shape[:2]) / max(he.width_px, he.height_px)
    table = spot_anndata(spots, in_tissue, thumbnail, scale, _facts(slide, settings))
    table.write_h5ad(out / "st" / f"{slide.name}.h5ad", compression="gzip")

    squares = squares_around(centres, slide.placed.he_um_per_px)
    boxes = squares.boxes() * np.tile(np.divide(mask.shape[::-1], (he.width_px, he.height_px)), 2)
    kept = box_shares(mask, boxes) >= settings.hest_min_tissue
    logger.info(
        "%s: kept %d of %d patches of spots: the others show too little tissue",
        slide.name,
        kept.sum(),
        len(kept),
    )
    squares = SpotSquares(squares.side_he_px, squares.corners_he_px[kept])
    path, barcodes = out / "patches" / f"{slide.name}.h5", spots.table.index[kept].to_list()
    write_spot_patches(path, he, squares, barcodes, slide.placed.he_um_per_px, threads)
    return in_tissue


def _tissue(he: HeImage, he_um_per_px: float) -> NDArray[np.bool_]:
    """Return where the H&E shows tissue, as ``tile`` tells it by default."""
    rule = TileSettings()
    longer_um = max(he.width_px, he.height_px) * he_um_per_px
    small = he.thumbnail(max(1, round(longer_um / rule.tissue_um_per_px)))
    return tissue_mask(small, rule.tissue_min_density)


def _metadata(
    slide: WholeSlide, spots: Spots, he: HeImage, settings: ExportSlidesSettings, n_in_tissue: int
) -> dict[str, Any]:
    um_per_px = slide.placed.he_um_per_px
    known = {
        "id": slide.name,
        "image_filename": f"{slide.name}.tif",
        "organ": slide.row.tissue,
        "disease_state": DISEASE_STATES[slide.row.condition],
        "species": settings.species,
        "patient": slide.row.patient,
        "st_technology": "Xenium",
        "inter_spot_dist": settings.spot_spacing_um,
        "spot_diameter": settings.spot_um,
        "spots_under_tissue": n_in_tissue,
        "nb_genes": len(spots.genes),
        "pixel_size_um_embedded": he.um_per_px,
        "pixel_size_um_estimated": um_per_px,
        "magnification": magnification(um_per_px),
        "fullres_px_width": he.width_px,
        "fullres_px_height": he.height_px,
        "tissue": slide.row.tissue,
    }
    return sample_record(known)


def _facts(slide: WholeSlide, settings: ExportSlidesSettings) -> dict[str, Any]:
    """Return what HEST has no field for: how the spots were laid and filled, and how far the place is to be trusted."""
    lattice = {"spot_layout", "spot_um", "spot_spacing_um", "spot_min_counts", "spot_min_qv"}
    return {
        **settings.model_dump(include=lattice),
        "origin_um": [0.0, 0.0],
        "registration": slide.placed.verdict,
    }


def _flaw(folder: Path, metadata: dict[str, Any]) -> str | None:
    if tuple(metadata) != (*FIELDS, "sthelar"):
        return "other fields in metadata"
    name = metadata["id"]
    for kind in _OUTLINES:
        if not opens(folder / "xenium_seg" / f"{name}_xenium_{kind}_seg.parquet", "cell_id"):
            return f"outlines of {kind} that geopandas does not read"
    image = _flaw_of_image(folder / "wsis" / f"{name}.tif", metadata)
    return image or _flaw_of_spots(folder, metadata)


def _flaw_of_image(path: Path, metadata: dict[str, Any]) -> str | None:
    with open_he(path) as he:
        size = (he.width_px, he.height_px)
        stated = he.um_per_px or 0.0
    if size != (metadata["fullres_px_width"], metadata["fullres_px_height"]):
        return f"an image of {size} px"
    if not np.isclose(stated, metadata["pixel_size_um_estimated"], rtol=1e-4):
        return f"an image of {stated} um/px"
    return None


def _flaw_of_spots(folder: Path, metadata: dict[str, Any]) -> str | None:
    table = anndata.read_h5ad(folder / "st" / f"{metadata['id']}.h5ad")
    centres = pd.DataFrame(table.obsm["spatial"], index=table.obs_names)
    if IMAGE not in table.uns["spatial"]["ST"]["images"]:
        return "no picture in the table of spots"
    size = (metadata["fullres_px_width"], metadata["fullres_px_height"])
    if not (centres.ge(0).all(axis=None) and (centres < size).all(axis=None)):
        return "spots beside the image"
    middles = patch_middles(folder / "patches" / f"{metadata['id']}.h5")
    if not middles.index.isin(table.obs_names).all():
        return "patches of no spot"
    off = np.abs(centres.loc[middles.index].to_numpy() - middles.to_numpy())
    return "patches that are not around their spots" if (off > 1).any() else None
