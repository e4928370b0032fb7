"""Make a toy slide: a Xenium bundle, its H&E, an alignment, a reference atlas, and the truth."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Annotated, Any

import anndata
import numpy as np
import pandas as pd

from sthelar_build.core.simulation.alignment import clicked_keypoints, he_canvas, um_from_morphology
from sthelar_build.core.simulation.atlas import reference_atlas
from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.he import render_he
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.simulate import Scene, simulate_scene
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM, SimulatedSlide
from sthelar_build.core.simulation.versions import as_version
from sthelar_build.io.atomic import published
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.ome_tiff import write_ome_tiff
from sthelar_build.io.provenance import Provenance, provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.tables import write_table
from sthelar_build.io.xenium_writer.bundle import write_bundle
from sthelar_build.io.zips import zip_writer
from sthelar_build.options import OutFile, Word, as_json
from sthelar_build.schema.frames import Affine
from sthelar_build.schema.tables import TRUTH_CELLS, TRUTH_NUCLEI
from sthelar_build.settings.simulate import SimulateSettings

logger = logging.getLogger(__name__)

_HE_NAME = "he_image"


def run(
    out: OutFile,
    slide: Word,
    settings: Annotated[SimulateSettings, as_json(SimulateSettings)],
) -> None:
    """Make a toy slide: a Xenium bundle, its H&E, an alignment, a reference atlas, and the truth."""
    recipe = settings.part(Recipe)
    source = provenance("simulate", settings)
    scene = simulate_scene(recipe)
    shown = as_version(scene.slide, recipe.xoa_version)
    _log_counts(slide, shown)
    morphology_from_he, he_shape_px = he_canvas(recipe)
    with published(out) as draft:
        (draft / "truth").mkdir(parents=True)
        _write_truth(draft / "truth", slide, recipe, shown, morphology_from_he, he_shape_px, source)
        _write_alignment(draft, recipe, shown, morphology_from_he)
        _write_reference(draft / "reference.h5ad", scene, source)
        _write_he(draft / f"{_HE_NAME}.ome.tif", scene, morphology_from_he, he_shape_px)
        write_bundle(draft / "xenium", shown, xoa_version=recipe.xoa_version, seed=recipe.seed)


def _log_counts(name: str, slide: SimulatedSlide) -> None:
    logger.info(
        "%s: %d cells of %d fine types (%d low-count, %d mixed), %d nuclei, %d transcripts, %.1f %% in cells",
        name,
        len(slide.cells),
        slide.cells["fine_label"].nunique(),
        slide.cells["low_count"].sum(),
        slide.cells["mixed_with"].notna().sum(),
        len(slide.nuclei),
        len(slide.transcripts),
        100 * (slide.transcripts["cell_row"] >= 0).mean(),
    )


def _write_he(
    path: Path, scene: Scene, morphology_from_he: Affine, shape_px: tuple[int, int]
) -> None:
    recipe = scene.recipe
    image = render_he(
        recipe.seed,
        scene.tissue,
        scene.population,
        morphology_from_he.then(um_from_morphology()),
        shape_px,
        recipe.he_stain_variation,
    )
    stated_um_per_px = recipe.he_um_per_px * (1 + recipe.he_tag_error)
    write_ome_tiff(
        path, image, stated_um_per_px, channel_names=["RGB"], compression="jpeg", tile_px=512
    )


def _write_alignment(
    folder: Path, recipe: Recipe, slide: SimulatedSlide, morphology_from_he: Affine
) -> None:
    centroids = slide.nuclei.geometry.centroid
    landmarks_um = np.stack([centroids.x, centroids.y], axis=1)
    clicked = clicked_keypoints(recipe, morphology_from_he, landmarks_um)
    keypoints = clicked.to_csv(index=False, lineterminator="\n")
    matrix = _matrix_csv(morphology_from_he)
    (folder / "alignment_keypoints.csv").write_text(keypoints, encoding="utf-8")
    (folder / "alignment_matrix.csv").write_text(matrix, encoding="utf-8")
    with zip_writer(folder / "alignment_explorer.zip") as archive:
        archive.add(f"{_HE_NAME}_matrix.csv", matrix.encode(), compress=True)
        archive.add(f"{_HE_NAME}_keypoints.csv", keypoints.encode(), compress=True)


def _matrix_csv(transform: Affine) -> str:
    text = io.StringIO()
    np.savetxt(text, transform.matrix, delimiter=",", fmt="%.17g")
    return text.getvalue()


def _write_reference(path: Path, scene: Scene, source: Provenance) -> None:
    recipe = scene.recipe
    rng = stream(recipe.seed, "atlas")
    atlas = reference_atlas(rng, scene.programmes, recipe.reference_cells)
    names = [f"cell_{number:05d}" for number in range(len(atlas.labels))]
    table = anndata.AnnData(
        X=atlas.counts,
        obs=pd.DataFrame({"cell_type": pd.Categorical(atlas.labels)}, index=names),
        var=pd.DataFrame(
            {"gene_id": list(scene.programmes.gene_ids)}, index=list(scene.programmes.genes)
        ),
    )
    write_h5ad(path, table, source)


def _write_truth(
    folder: Path,
    name: str,
    recipe: Recipe,
    slide: SimulatedSlide,
    morphology_from_he: Affine,
    he_shape_px: tuple[int, int],
    source: Provenance,
) -> None:
    cells = slide.cells[[column for column in TRUTH_CELLS.names if column in slide.cells]]
    write_table(folder / "cells.parquet", cells, TRUTH_CELLS, source)
    write_table(folder / "nuclei.parquet", _true_nuclei(slide), TRUTH_NUCLEI, source)
    height_px, width_px = slide.shape_px
    record: dict[str, Any] = {
        "slide": name,
        "matrix": morphology_from_he.matrix.tolist(),
        "source": morphology_from_he.source,
        "target": morphology_from_he.target,
        "he_um_per_px": recipe.he_um_per_px,
        "he_width_px": he_shape_px[1],
        "he_height_px": he_shape_px[0],
        "pixel_size_um": PIXEL_SIZE_UM,
        "width_px": width_px,
        "height_px": height_px,
        "n_cells": len(slide.cells),
        "n_nuclei": len(slide.nuclei),
        "n_transcripts": len(slide.transcripts),
        "recipe": json.loads(json.dumps(recipe.__dict__)),
    }
    write_record(folder / "truth.json", record, source)


def _true_nuclei(slide: SimulatedSlide) -> pd.DataFrame:
    owners = slide.cells["cell_id"].to_numpy()[slide.nuclei["cell_row"]]
    numbers = np.arange(1, len(slide.nuclei) + 1, dtype=np.uint32)
    return pd.DataFrame(
        {"nucleus_id": numbers, "cell_id": owners, "geometry": slide.nuclei.geometry.to_numpy()}
    )
