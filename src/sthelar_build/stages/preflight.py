"""Look at the raw files of a slide before any work is done: what is there, and what is wrong, in plain words.

What makes a run impossible stops here, in one line; what a person should know stands under ``problems``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import h5py
import pandas as pd

from sthelar_build.errors import InputError
from sthelar_build.io.alignment import read_alignment
from sthelar_build.io.images.he import check_size, open_he
from sthelar_build.io.instance_maps import open_instance_maps
from sthelar_build.io.label_map import read_label_map, resolve_labels, unused_labels
from sthelar_build.io.nucleus_geojson import check_drawn_nuclei
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.reference import read_reference
from sthelar_build.io.xenium import bundle as vendor
from sthelar_build.io.xenium.boundaries import n_nuclei
from sthelar_build.io.xenium.bundle import XeniumBundle, open_bundle
from sthelar_build.io.xenium.images import morphology_facts
from sthelar_build.io.xenium.sound import check_places, extent_of
from sthelar_build.io.xenium.sources import is_csv
from sthelar_build.io.xenium.tables import n_transcripts, read_cells, read_features
from sthelar_build.options import InFile, MaybeInFile, MaybeInFiles, OutFile, Word, as_json
from sthelar_build.schema.tables import GENE
from sthelar_build.settings.preflight import PreflightSettings

logger = logging.getLogger(__name__)

_USUAL_PIXEL_SIZE_UM = 0.2125
_LIKELY_UM_PER_PX = (0.01, 20.0)
"""What may be a mistake of the alignment that register can mend lies well within."""


@dataclass
class _Findings:
    """What was found in the raw files, and what a person should know."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def run(
    slide: Word,
    xenium: InFile,
    he: InFile,
    reference: InFile,
    label_key: Word,
    out: OutFile,
    settings: Annotated[PreflightSettings, as_json(PreflightSettings)],
    alignment: MaybeInFile = None,
    layer: Word = "",
    label_map: MaybeInFile = None,
    predictions: MaybeInFiles = None,
    nuclei: MaybeInFile = None,
) -> None:
    """Look at the raw files before any work is done."""
    bundle = open_bundle(xenium)
    features = read_features(bundle)
    genes = features[features["category"] == GENE]
    found = _Findings()
    _look_at_bundle(bundle, genes, found)
    _look_at_he(he, found)
    _look_at_alignment(alignment, bundle.pixel_size_um, settings, found)
    _look_at_reference(reference, label_key, layer, label_map, genes, settings, found)
    _look_at_predictions(predictions or [], slide, found)
    if nuclei:
        check_drawn_nuclei(nuclei)
        found.facts["nuclei_file"] = nuclei.name
    for problem in found.problems:
        logger.warning("%s: %s", slide, problem)
    record = {"slide": slide, "facts": found.facts, "problems": found.problems}
    inputs = {"experiment": bundle.path(vendor.SPECIFICATION), "he": he, "reference": reference}
    write_record(out, record, provenance("preflight", settings, inputs))


def _look_at_bundle(bundle: XeniumBundle, genes: pd.DataFrame, found: _Findings) -> None:
    cells = read_cells(bundle)
    image = morphology_facts(bundle)
    check_places(bundle.path(vendor.CELLS), extent_of(bundle, image), cells["x_um"], cells["y_um"])
    found.facts |= {
        "xoa_version": bundle.xoa_version,
        "layout": bundle.layout,
        "pixel_size_um": bundle.pixel_size_um,
        "morphology_width_px": image.width_px,
        "morphology_height_px": image.height_px,
        "channels": list(image.channels),
        "panel": bundle.specification.get("panel_name"),
        "n_genes": len(genes),
        "n_cells": len(cells),
        "n_nuclei": n_nuclei(bundle),
        "n_transcripts": n_transcripts(bundle),
    }
    for what in ("n_genes", "n_cells", "n_nuclei", "n_transcripts"):
        if found.facts[what] == 0:
            raise InputError(
                f"{bundle.folder}: expected at least one of {what.removeprefix('n_')}, found none; "
                "choose a region with tissue"
            )
    found.problems += _oddities(bundle)


def _oddities(bundle: XeniumBundle) -> Iterator[str]:
    if bundle.xoa_version == "unknown":
        yield "The bundle does not say which version of the software wrote it."
    if not bundle.has(vendor.CELL_BOUNDARIES):
        yield "The bundle has no cell boundaries: cells stay without outline."
    for name in vendor.COLUMNS:
        if is_csv(bundle.path(name)):
            yield f"The bundle has no {name}: {bundle.path(name).name} is read instead, which takes longer."
    if bundle.pixel_size_um != _USUAL_PIXEL_SIZE_UM:
        yield f"The morphology pixel is {bundle.pixel_size_um:g} um, not {_USUAL_PIXEL_SIZE_UM} um as usual."


def _look_at_he(he: Path, found: _Findings) -> None:
    with open_he(he) as image:
        check_size(he, image)
        found.facts |= {
            "he_width_px": image.width_px,
            "he_height_px": image.height_px,
            "he_levels": len(image.levels),
            "he_um_per_px": image.um_per_px,
        }
        if image.um_per_px is None:
            found.problems.append(
                "The H&E does not say its pixel size, or one that no scanner has; it will come from the alignment."
            )


def _look_at_alignment(
    path: Path | None, pixel_size_um: float, settings: PreflightSettings, found: _Findings
) -> None:
    if path is None:
        return
    alignment = read_alignment(path)
    implied = alignment.matrix.scale * pixel_size_um if alignment.matrix else None
    found.facts |= {
        "alignment_keypoints": len(alignment.keypoints[0]) if alignment.keypoints else 0,
        "alignment_um_per_px": implied,
    }
    if implied and not _LIKELY_UM_PER_PX[0] <= implied <= _LIKELY_UM_PER_PX[1]:
        raise InputError(
            f"{path}: expected a map between pixels of images, found one that makes an H&E pixel {implied:.4g} um; "
            "export it again from Xenium Explorer"
        )
    stated = found.facts["he_um_per_px"]
    if implied and stated and abs(implied / stated - 1) > settings.pixel_size_tolerance:
        found.problems.append(
            f"The alignment makes an H&E pixel {implied:.4g} um, the H&E says {stated:.4g} um: it may be "
            "inverted, in um, or made on another level of the pyramid."
        )


def _look_at_reference(
    path: Path,
    label_key: str,
    layer: str,
    label_map: Path | None,
    genes: pd.DataFrame,
    settings: PreflightSettings,
    found: _Findings,
) -> None:
    symbols, ids = genes["name"].tolist(), genes["id"].tolist()
    # One cell of each label is enough to see that the matrix can be read.
    atlas = read_reference(path, label_key, symbols, ids, layer=layer, cells_per_label=1)
    shared = len(atlas.gene_columns)
    if shared == 0:
        raise InputError(
            f"{path}: expected genes of the panel, by symbol (as {symbols[0]}) or Ensembl id (as {ids[0]}), "
            "found none; take an atlas of the same organism with either kind of name in var"
        )
    named = read_label_map(label_map)
    resolve_labels(atlas.labels, named, path)
    found.facts |= {
        "reference_cells": int(atlas.cells_per_label.sum()),
        "reference_matrix": atlas.source,
        "reference_scale": atlas.scale.kind,
        "reference_labels": dict(zip(atlas.labels, atlas.cells_per_label.tolist(), strict=True)),
        "shared_genes": shared,
    }
    if shared < settings.min_shared_genes * len(genes):
        found.problems.append(
            f"Only {shared} of the {len(genes)} genes of the panel are in the reference."
        )
    if unused := unused_labels(named, atlas.labels):
        found.problems.append(f"The reference lacks labels of the label_map: {', '.join(unused)}.")


def _look_at_predictions(paths: list[Path], slide: str, found: _Findings) -> None:
    if paths:
        found.facts["predicted_patches"] = sum(_predicted_patches(path, slide) for path in paths)


def _predicted_patches(path: Path, slide: str) -> int:
    names = _names_in_h5(path)
    if not any(name.endswith("_data") for name in names):
        raise InputError(
            f"{path}: expected instance maps in an h5 (datasets such as 17_data, 17_indices, 17_indptr, 17_shape), "
            f"found {', '.join(names[:3]) or 'none'}; give the h5 of the segmentation"
        )
    with open_instance_maps(path, slide) as maps:
        return len(maps.patch_ids)


def _names_in_h5(path: Path) -> list[str]:
    if not h5py.is_hdf5(path):
        return []
    with h5py.File(path, "r") as file:
        return list(file)
