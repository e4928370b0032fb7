"""Write a simulated slide as a Xenium bundle, in the layout of any version from 1.0 to 4.x.

Left out of the bundle, because nothing reads them here: the z-stack ``morphology.ome.tif``, the zarr
twins of transcripts, matrix and analysis, and the summaries for people.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sthelar_build.core.simulation.mosaic import Mosaic
from sthelar_build.core.simulation.slide import GENE_CATEGORIES, PIXEL_SIZE_UM, SimulatedSlide
from sthelar_build.core.simulation.versions import Traits, as_version, traits_of
from sthelar_build.io.ome_tiff import ImageFiles, write_ome_tiff
from sthelar_build.io.xenium import bundle as xenium
from sthelar_build.io.xenium_writer.cells_zarr import write_cells_zarr
from sthelar_build.io.xenium_writer.tables import (
    matrix_of,
    write_boundaries,
    write_cells,
    write_matrix,
)
from sthelar_build.io.xenium_writer.transcripts import write_transcripts

_LEVELS = 6


def write_bundle(
    folder: Path, slide: SimulatedSlide | Mosaic, *, xoa_version: str, seed: int
) -> None:
    """Write the bundle of a slide as ``xoa_version`` would, such as 1.0.2, 1.9.0, 2.0.0, 3.0.0 or 4.0.0.

    Parameters
    ----------
    folder
        Folder to fill; made if absent.
    slide
        The slide; what the version cannot show is left out (``as_version``). A mosaic must be of blocks
        as the version shows them; it is written part by part, and without the csv twins of its tables.
    xoa_version
        Version of the Xenium software.
    seed
        Seed of the identifiers that an instrument would make up.

    Notes
    -----
    The same slide, version and seed give the same bytes. ``experiment.xenium`` is written last.
    """
    traits = traits_of(xoa_version)
    mosaic = slide if isinstance(slide, Mosaic) else Mosaic.of(as_version(slide, xoa_version))
    folder.mkdir(parents=True, exist_ok=True)
    write_matrix(folder / xenium.FEATURE_MATRIX, mosaic, traits)
    write_cells(folder, mosaic, traits)
    write_boundaries(folder, mosaic, traits)
    write_transcripts(folder / xenium.TRANSCRIPTS, mosaic, traits)
    write_cells_zarr(folder / xenium.CELLS_ZARR, mosaic, traits)
    images = _write_images(folder, mosaic, traits)
    _write_json(folder / "gene_panel.json", _gene_panel(mosaic.features))
    _write_metrics(folder / "metrics_summary.csv", mosaic)
    _write_json(
        folder / xenium.SPECIFICATION, _specification(mosaic, traits, xoa_version, seed, images)
    )


def _write_images(folder: Path, mosaic: Mosaic, traits: Traits) -> dict[str, str]:
    """Write the morphology images; return what experiment.xenium says of them."""
    channels = mosaic.channels
    if not traits.polygon_sets:
        for name in (xenium.MIP_FILE, xenium.FOCUS_FILE):
            _write_image(folder / name, mosaic, "DAPI")
        return {
            "morphology_mip_filepath": xenium.MIP_FILE,
            "morphology_focus_filepath": xenium.FOCUS_FILE,
        }
    names = tuple(_channel_file(i, name, traits) for i, name in enumerate(channels))
    focus = folder / xenium.FOCUS_FOLDER
    focus.mkdir(exist_ok=True)
    for name, channel in zip(names, channels, strict=True):
        _write_image(focus / name, mosaic, channel, ImageFiles(names))
    return {"morphology_focus_filepath": f"{xenium.FOCUS_FOLDER}/{names[0]}"}


def _write_image(path: Path, mosaic: Mosaic, channel: str, files: ImageFiles | None = None) -> None:
    write_ome_tiff(
        path,
        mosaic.morphology(channel),
        PIXEL_SIZE_UM,
        channel_names=mosaic.channels if files else [channel],
        levels=_LEVELS,
        files=files,
    )


def _channel_file(index: int, channel: str, traits: Traits) -> str:
    if not traits.named_channels:
        return f"morphology_focus_{index:04}.ome.tif"
    return f"ch{index:04}_{re.sub(r'[^a-z0-9-]+', '_', channel.lower())}.ome.tif"


def _gene_panel(features: pd.DataFrame) -> dict[str, Any]:
    targets = [
        {
            "type": {
                "descriptor": "gene" if category in GENE_CATEGORIES else category,
                "data": {"id": identifier, "name": name},
            },
            "codewords": [codeword],
        }
        for codeword, (name, identifier, category) in enumerate(
            features[["name", "id", "category"]].itertuples(index=False)
        )
    ]
    return {
        "metadata": {"schema_version": "1.0.0"},
        "payload": {"panel": _panel(features), "targets": targets},
    }


def _panel(features: pd.DataFrame) -> dict[str, Any]:
    return {
        "identity": {"design_id": "simulated", "name": "Simulated panel"},
        "num_gene_targets": int(features["category"].isin(GENE_CATEGORIES).sum()),
    }


def _write_metrics(path: Path, mosaic: Mosaic) -> None:
    height_px, width_px = mosaic.shape_px
    sizes = mosaic.sizes
    n_good = _total(mosaic, lambda block: (block.transcripts["qv"] >= 20).sum())
    n_assigned = _total(mosaic, lambda block: (block.transcripts["cell_row"] >= 0).sum())
    metrics = {
        "run_name": "simulated",
        "cassette_name": "simulated",
        "region_name": "simulated",
        "panel_name": "Simulated panel",
        "region_area": height_px * width_px * PIXEL_SIZE_UM**2,
        "total_cell_area": _total(mosaic, lambda block: block.cells.area.sum()),
        "fraction_transcripts_decoded_q20": n_good / max(sizes.transcripts, 1),
        "num_cells_detected": sizes.cells,
        "fraction_transcripts_assigned": n_assigned / max(sizes.transcripts, 1),
        "counts_in_matrix": round(_total(mosaic, lambda block: matrix_of(block).sum())),
    }
    pd.DataFrame([metrics]).to_csv(path, index=False)


def _total(mosaic: Mosaic, of: Callable[[SimulatedSlide], float]) -> float:
    """Return the sum over the whole mosaic of what each block has."""
    return float(sum(n * of(block) for n, block in zip(mosaic.copies, mosaic.blocks, strict=True)))


def _specification(
    mosaic: Mosaic, traits: Traits, xoa_version: str, seed: int, images: dict[str, str]
) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    identifiers = {
        key: str(uuid.UUID(bytes=rng.bytes(16), version=4))
        for key in ("experiment_uuid", "cassette_uuid", "roi_uuid", "well_uuid", "calibration_uuid")
    }
    categories, sizes = mosaic.features["category"], mosaic.sizes
    specification: dict[str, Any] = {
        "major_version": 6 if traits.polygon_sets else 5,
        "minor_version": 0,
        "patch_version": 0,
        "run_name": "simulated",
        "region_name": "simulated",
        "panel_tissue_type": "simulated",
        "run_start_time": "2024-01-01T00:00:00Z",
        "preservation_method": "ffpe",
        "num_cells": sizes.cells,
        "transcripts_per_cell": sizes.transcripts // max(sizes.cells, 1),
        "transcripts_per_100um": 0.0,
        "cassette_name": "simulated",
        "slide_id": "0000000",
        "panel_design_id": "simulated",
        "panel_name": "Simulated panel",
        "panel_organism": "Human",
        "panel_num_targets_predesigned": int((categories == "predesigned_gene").sum()),
        "panel_num_targets_custom": int((categories == "custom_gene").sum()),
        "pixel_size": PIXEL_SIZE_UM,
        "z_step_size": 3.0,
        "instrument_sn": "SIMULATED",
        "instrument_sw_version": xoa_version,
        "analysis_sw_version": f"xenium-{xoa_version}",
        **identifiers,
        "images": images,
        "xenium_explorer_files": {"cells_zarr_filepath": xenium.CELLS_ZARR},
    }
    if traits.polygon_sets:
        specification |= _segmentation(mosaic)
    return specification


def _segmentation(mosaic: Mosaic) -> dict[str, Any]:
    def share(word: str) -> float:
        found = _total(mosaic, lambda block: _methods(block).str.contains(word).sum())
        return found / max(mosaic.sizes.cells, 1)

    return {
        "segmentation_stain": "DAPI" if len(mosaic.channels) == 1 else "Multimodal",
        "segmented_cell_boundary_frac": share("boundary"),
        "segmented_cell_interior_frac": share("interior"),
        "segmented_cell_nuc_expansion_frac": share("expansion"),
        "nucleus_expansion_distance": 5.0,
    }


def _methods(block: SimulatedSlide) -> pd.Series:
    methods: pd.Series = block.cells["segmentation_method"].fillna("")
    return methods


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
