"""Write a simulated slide as a Xenium bundle, in the layout of any version from 1.0 to 4.x.

Left out of the bundle, because nothing reads them here: the z-stack ``morphology.ome.tif``, the zarr
twins of transcripts, matrix and analysis, and the summaries for people.
"""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

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
    write_transcripts,
)

_LEVELS = 6


def write_bundle(folder: Path, slide: SimulatedSlide, *, xoa_version: str, seed: int) -> None:
    """Write the bundle of a slide as ``xoa_version`` would, such as 1.0.2, 1.9.0, 2.0.0, 3.0.0 or 4.0.0.

    Parameters
    ----------
    folder
        Folder to fill; made if absent.
    slide
        The slide; what the version cannot show is left out (``as_version``).
    xoa_version
        Version of the Xenium software.
    seed
        Seed of the identifiers that an instrument would make up.

    Notes
    -----
    The same slide, version and seed give the same bytes. ``experiment.xenium`` is written last.
    """
    traits = traits_of(xoa_version)
    slide = as_version(slide, xoa_version)
    folder.mkdir(parents=True, exist_ok=True)
    matrix = matrix_of(slide)
    write_matrix(folder / xenium.FEATURE_MATRIX, slide, matrix, traits)
    write_cells(folder, slide, matrix, traits)
    write_boundaries(folder, slide, traits)
    write_transcripts(folder / xenium.TRANSCRIPTS, slide, traits)
    write_cells_zarr(folder / xenium.CELLS_ZARR, slide, traits)
    images = _write_images(folder, slide, traits)
    _write_json(folder / "gene_panel.json", _gene_panel(slide))
    _write_metrics(folder / "metrics_summary.csv", slide, int(matrix.sum()))
    _write_json(
        folder / xenium.SPECIFICATION, _specification(slide, traits, xoa_version, seed, images)
    )


def _write_images(folder: Path, slide: SimulatedSlide, traits: Traits) -> dict[str, str]:
    """Write the morphology images; return what experiment.xenium says of them."""
    channels = list(slide.morphology)
    if not traits.polygon_sets:
        for name in (xenium.MIP_FILE, xenium.FOCUS_FILE):
            _write_image(folder / name, slide, "DAPI")
        return {
            "morphology_mip_filepath": xenium.MIP_FILE,
            "morphology_focus_filepath": xenium.FOCUS_FILE,
        }
    names = tuple(_channel_file(i, name, traits) for i, name in enumerate(channels))
    focus = folder / xenium.FOCUS_FOLDER
    focus.mkdir(exist_ok=True)
    for name, channel in zip(names, channels, strict=True):
        _write_image(focus / name, slide, channel, ImageFiles(names))
    return {"morphology_focus_filepath": f"{xenium.FOCUS_FOLDER}/{names[0]}"}


def _write_image(
    path: Path, slide: SimulatedSlide, channel: str, files: ImageFiles | None = None
) -> None:
    write_ome_tiff(
        path,
        slide.morphology[channel],
        PIXEL_SIZE_UM,
        channel_names=list(slide.morphology) if files else [channel],
        levels=_LEVELS,
        files=files,
    )


def _channel_file(index: int, channel: str, traits: Traits) -> str:
    if not traits.named_channels:
        return f"morphology_focus_{index:04}.ome.tif"
    return f"ch{index:04}_{re.sub(r'[^a-z0-9-]+', '_', channel.lower())}.ome.tif"


def _gene_panel(slide: SimulatedSlide) -> dict[str, Any]:
    targets = [
        {
            "type": {
                "descriptor": "gene" if category in GENE_CATEGORIES else category,
                "data": {"id": identifier, "name": name},
            },
            "codewords": [codeword],
        }
        for codeword, (name, identifier, category) in enumerate(
            slide.features[["name", "id", "category"]].itertuples(index=False)
        )
    ]
    return {
        "metadata": {"schema_version": "1.0.0"},
        "payload": {"panel": _panel(slide), "targets": targets},
    }


def _panel(slide: SimulatedSlide) -> dict[str, Any]:
    return {
        "identity": {"design_id": "simulated", "name": "Simulated panel"},
        "num_gene_targets": int(slide.features["category"].isin(GENE_CATEGORIES).sum()),
    }


def _write_metrics(path: Path, slide: SimulatedSlide, n_counted: int) -> None:
    height_px, width_px = slide.shape_px
    transcripts = slide.transcripts
    metrics = {
        "run_name": "simulated",
        "cassette_name": "simulated",
        "region_name": "simulated",
        "panel_name": "Simulated panel",
        "region_area": height_px * width_px * PIXEL_SIZE_UM**2,
        "total_cell_area": float(slide.cells.area.sum()),
        "fraction_transcripts_decoded_q20": float((transcripts["qv"] >= 20).mean()),
        "num_cells_detected": len(slide.cells),
        "fraction_transcripts_assigned": float((transcripts["cell_row"] >= 0).mean()),
        "counts_in_matrix": n_counted,
    }
    pd.DataFrame([metrics]).to_csv(path, index=False)


def _specification(
    slide: SimulatedSlide, traits: Traits, xoa_version: str, seed: int, images: dict[str, str]
) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    identifiers = {
        key: str(uuid.UUID(bytes=rng.bytes(16), version=4))
        for key in ("experiment_uuid", "cassette_uuid", "roi_uuid", "well_uuid", "calibration_uuid")
    }
    categories = slide.features["category"]
    specification: dict[str, Any] = {
        "major_version": 6 if traits.polygon_sets else 5,
        "minor_version": 0,
        "patch_version": 0,
        "run_name": "simulated",
        "region_name": "simulated",
        "panel_tissue_type": "simulated",
        "run_start_time": "2024-01-01T00:00:00Z",
        "preservation_method": "ffpe",
        "num_cells": len(slide.cells),
        "transcripts_per_cell": len(slide.transcripts) // max(len(slide.cells), 1),
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
        specification |= _segmentation(slide)
    return specification


def _segmentation(slide: SimulatedSlide) -> dict[str, Any]:
    method = slide.cells["segmentation_method"].fillna("")
    return {
        "segmentation_stain": "DAPI" if len(slide.morphology) == 1 else "Multimodal",
        "segmented_cell_boundary_frac": float(method.str.contains("boundary").mean()),
        "segmented_cell_interior_frac": float(method.str.contains("interior").mean()),
        "segmented_cell_nuc_expansion_frac": float(method.str.contains("expansion").mean()),
        "nucleus_expansion_distance": 5.0,
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
