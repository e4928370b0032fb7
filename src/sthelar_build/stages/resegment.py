"""Take the nuclei of the Xenium slide from elsewhere than the bundle: from a GeoJSON file, or from Cellpose on its DAPI image."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.adapters.dapi_nuclei import segmented_nuclei
from sthelar_build.core.new_nuclei import OUTSIDE, NewNuclei, new_nuclei
from sthelar_build.core.polygons import Geometries
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.nucleus_geojson import read_drawn_nuclei
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import write_table
from sthelar_build.io.xenium import bundle as vendor
from sthelar_build.io.xenium.bundle import XeniumBundle, open_bundle
from sthelar_build.io.xenium.images import morphology_facts
from sthelar_build.options import InFile, MaybeInFile, OutFile, Threads, as_json
from sthelar_build.schema.tables import RESEGMENTED
from sthelar_build.settings.resegment import ResegmentSettings

logger = logging.getLogger(__name__)

_MOST_OUTSIDE = 0.5
_LEAST_USUAL_AREA_UM2 = 4.0
"""Small lymphocytes have nuclei of 20 um2 and more; um read as px make a twentieth of that."""


@dataclass(frozen=True)
class _Outlines:
    polygons_um: Geometries
    source_ids: NDArray[Any]
    left_out: dict[str, int]
    facts: dict[str, Any]


def run(
    xenium: InFile,
    resegmented: OutFile,
    settings: Annotated[ResegmentSettings, as_json(ResegmentSettings)],
    nuclei: MaybeInFile = None,
    model: MaybeInFile = None,
    threads: Threads = 1,
) -> None:
    """Take the nuclei of a slide from a GeoJSON file, or find them with Cellpose in the DAPI image."""
    bundle = open_bundle(xenium)
    image = morphology_facts(bundle)
    size_um = image.width_px * bundle.pixel_size_um, image.height_px * bundle.pixel_size_um
    found = _outlines(bundle, settings, nuclei, model, threads)
    limits = settings.min_area_um2, settings.max_area_um2
    kept = new_nuclei(found.polygons_um, found.source_ids, size_um, limits)
    _log(settings.source, found, kept)
    _check(nuclei or bundle.morphology, found, kept, settings)
    inputs = {
        "experiment": bundle.path(vendor.SPECIFICATION),
        "morphology": bundle.morphology,
        "nuclei": nuclei,
        "model": model,
    }
    attributes = {
        "source": settings.source,
        **found.facts,
        "n_nuclei": len(kept.table),
        "left_out": {**found.left_out, **kept.left_out},
    }
    source = provenance("resegment", settings, inputs)
    write_table(resegmented, kept.table, RESEGMENTED, source, attributes)


def _outlines(
    bundle: XeniumBundle,
    settings: ResegmentSettings,
    nuclei: Path | None,
    model: Path | None,
    threads: int,
) -> _Outlines:
    if settings.source == "xenium":
        raise ConfigError(
            "resegment.source: expected cellpose or geojson, found xenium; the nuclei of the bundle need no such stage"
        )
    if settings.source == "cellpose":
        polygons_um, facts = segmented_nuclei(bundle, model, settings, threads)
        return _Outlines(polygons_um, np.full(len(polygons_um), None, dtype=object), {}, facts)
    if nuclei is None:
        raise ConfigError(
            "resegment: expected a GeoJSON file with source geojson, found no --nuclei; name it"
        )
    drawn = read_drawn_nuclei(nuclei)
    um = 1.0 if settings.geojson_units == "um" else bundle.pixel_size_um
    scaled = shapely.transform(drawn.polygons, lambda xy: xy * um) if um != 1 else drawn.polygons
    return _Outlines(scaled, drawn.source_ids, drawn.left_out, {"units": settings.geojson_units})


def _log(source: str, found: _Outlines, kept: NewNuclei) -> None:
    left_out = {**found.left_out, **kept.left_out}
    total = len(found.polygons_um) + sum(found.left_out.values())
    logger.info(
        "%s: kept %d of %d outlines; left out: %s; made valid: %d",
        source,
        len(kept.table),
        total,
        ", ".join(f"{name} ({n})" for name, n in left_out.items()) or "none",
        kept.table["repaired"].sum(),
    )


def _check(path: Path, found: _Outlines, kept: NewNuclei, settings: ResegmentSettings) -> None:
    """Refuse outlines that lie elsewhere, or are of another size: they are in other units, or of another image."""
    n_shapes = int((shapely.area(found.polygons_um) > 0).sum())
    outside = kept.left_out.get(OUTSIDE, 0)
    usual_um2 = float(np.nanmedian(shapely.area(found.polygons_um))) if n_shapes else 0.0
    wrong = None
    if n_shapes and outside > _MOST_OUTSIDE * n_shapes:
        wrong = f"{outside} of {n_shapes} beyond the morphology image"
    elif n_shapes and usual_um2 < _LEAST_USUAL_AREA_UM2:
        wrong = f"nuclei of {usual_um2:.2g} um2, taking the file to be in {settings.geojson_units}"
    elif not len(kept.table):
        wrong = "none"
    if wrong:
        remedy = (
            "see resegment.geojson_units, and export it from QuPath with the DAPI image open, not the H&E, which finds its place by "
            "the nuclei"
            if settings.source == "geojson"
            else "see resegment.diameter_um and model"
        )
        raise InputError(f"{path}: expected nuclei of the slide, found {wrong}; {remedy}")
