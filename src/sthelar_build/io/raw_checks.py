"""What can be said of the raw files of a slide before any work: ``preflight`` and ``doctor`` look at them alike.

What makes a run impossible is an error; what a person should know stands under ``problems``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sthelar_build.errors import InputError
from sthelar_build.io.alignment import read_alignment
from sthelar_build.io.images.he import check_size, open_he
from sthelar_build.io.label_map import read_label_map, resolve_labels, unused_labels
from sthelar_build.io.nucleus_geojson import check_drawn_nuclei
from sthelar_build.io.reference import read_reference
from sthelar_build.io.supplied_maps import n_supplied_patches
from sthelar_build.io.xenium import bundle as vendor
from sthelar_build.io.xenium.boundaries import n_nuclei
from sthelar_build.io.xenium.bundle import XeniumBundle, open_bundle
from sthelar_build.io.xenium.images import morphology_facts
from sthelar_build.io.xenium.sound import check_places, extent_of
from sthelar_build.io.xenium.sources import is_csv
from sthelar_build.io.xenium.tables import n_transcripts, read_cells, read_features
from sthelar_build.schema.tables import GENE
from sthelar_build.settings.preflight import PreflightSettings

_USUAL_PIXEL_SIZE_UM = 0.2125
_LIKELY_UM_PER_PX = (0.01, 20.0)
"""What may be a mistake of the alignment that register can mend lies well within."""


@dataclass(frozen=True)
class RawFiles:
    """The raw files of a slide, as the sheets name them."""

    slide: str
    xenium: Path
    he: Path
    reference: Path
    label_key: str
    layer: str = ""
    alignment: Path | None = None
    label_map: Path | None = None
    predictions: Sequence[Path] = ()
    nuclei: Path | None = None


@dataclass
class Findings:
    """What was found in the raw files so far, and what a person should know."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    genes: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The genes of the panel: ``name``, ``id``."""


@dataclass(frozen=True)
class Look:
    """One of the things that are looked at."""

    name: str
    at: Callable[[RawFiles, PreflightSettings, Findings], None]
    """Adds to the findings; raises InputError or ConfigError where a run is impossible."""
    after: tuple[str, ...] = ()
    """Facts of earlier looks that it compares with."""


def _bundle(raw: RawFiles, _: PreflightSettings, found: Findings) -> None:
    bundle = open_bundle(raw.xenium)
    features = read_features(bundle)
    found.genes = features[features["category"] == GENE]
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
        "n_genes": len(found.genes),
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


def _he(raw: RawFiles, _: PreflightSettings, found: Findings) -> None:
    with open_he(raw.he) as image:
        check_size(raw.he, image)
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


def _alignment(raw: RawFiles, settings: PreflightSettings, found: Findings) -> None:
    if raw.alignment is None:
        return
    alignment = read_alignment(raw.alignment)
    pixel_size_um = found.facts["pixel_size_um"]
    implied = alignment.matrix.scale * pixel_size_um if alignment.matrix else None
    found.facts |= {
        "alignment_keypoints": len(alignment.keypoints[0]) if alignment.keypoints else 0,
        "alignment_um_per_px": implied,
    }
    if implied and not _LIKELY_UM_PER_PX[0] <= implied <= _LIKELY_UM_PER_PX[1]:
        raise InputError(
            f"{raw.alignment}: expected a map between pixels of images, found one that makes an H&E pixel {implied:.4g} um; "
            "export it again from Xenium Explorer"
        )
    stated = found.facts["he_um_per_px"]
    if implied and stated and abs(implied / stated - 1) > settings.pixel_size_tolerance:
        found.problems.append(
            f"The alignment makes an H&E pixel {implied:.4g} um, the H&E says {stated:.4g} um: it may be "
            "inverted, in um, or made on another level of the pyramid."
        )


def _reference(raw: RawFiles, settings: PreflightSettings, found: Findings) -> None:
    symbols, ids = found.genes["name"].tolist(), found.genes["id"].tolist()
    # One cell of each label is enough to see that the matrix can be read.
    atlas = read_reference(
        raw.reference, raw.label_key, symbols, ids, layer=raw.layer, cells_per_label=1
    )
    shared = len(atlas.gene_columns)
    if shared == 0:
        raise InputError(
            f"{raw.reference}: expected genes of the panel, by symbol (as {symbols[0]}) or Ensembl id (as {ids[0]}), "
            "found none; take an atlas of the same organism with either kind of name in var"
        )
    named = read_label_map(raw.label_map)
    resolve_labels(atlas.labels, named, raw.reference)
    found.facts |= {
        "reference_cells": int(atlas.cells_per_label.sum()),
        "reference_matrix": atlas.source,
        "reference_scale": atlas.scale.kind,
        "reference_labels": dict(zip(atlas.labels, atlas.cells_per_label.tolist(), strict=True)),
        "shared_genes": shared,
    }
    if shared < settings.min_shared_genes * len(symbols):
        found.problems.append(
            f"Only {shared} of the {len(symbols)} genes of the panel are in the reference."
        )
    if unused := unused_labels(named, atlas.labels):
        found.problems.append(f"The reference lacks labels of the label_map: {', '.join(unused)}.")


def _predictions(raw: RawFiles, _: PreflightSettings, found: Findings) -> None:
    if raw.predictions:
        found.facts["predicted_patches"] = sum(
            n_supplied_patches(path, raw.slide) for path in raw.predictions
        )


def _nuclei(raw: RawFiles, _: PreflightSettings, found: Findings) -> None:
    if raw.nuclei:
        check_drawn_nuclei(raw.nuclei)
        found.facts["nuclei_file"] = raw.nuclei.name


BUNDLE = Look("Xenium bundle", _bundle)
HE = Look("H&E", _he)
LOOKS = (
    BUNDLE,
    HE,
    Look("alignment", _alignment, after=("pixel_size_um", "he_um_per_px")),
    Look("reference", _reference, after=("n_genes",)),
    Look("predictions", _predictions),
    Look("nuclei", _nuclei),
)
"""Everything that is looked at, in order."""
