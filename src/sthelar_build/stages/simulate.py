"""Make a toy slide: a Xenium bundle, its H&E, an alignment, a reference atlas, and the truth."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import anndata
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.simulation.alignment import (
    block_canvas,
    clicked_keypoints,
    he_canvas,
    um_from_morphology,
)
from sthelar_build.core.simulation.atlas import reference_atlas
from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.he import render_he
from sthelar_build.core.simulation.mosaic import Mosaic, Part, chosen_places
from sthelar_build.core.simulation.mosaic_image import MosaicImage
from sthelar_build.core.simulation.programmes import Programmes
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.redraw import Redraw
from sthelar_build.core.simulation.simulate import Scene, block_scenes, simulate_scene
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM
from sthelar_build.core.simulation.stains import Stains, slide_stains
from sthelar_build.core.simulation.versions import as_version, traits_of
from sthelar_build.io.atomic import published
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.ome_tiff import Image, write_ome_tiff
from sthelar_build.io.provenance import Provenance, provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.tables import arrow_table, table_writer
from sthelar_build.io.xenium_writer.bundle import write_bundle
from sthelar_build.io.zips import zip_writer
from sthelar_build.options import OutFile, Word, as_json
from sthelar_build.schema.frames import Affine
from sthelar_build.schema.tables import TRUTH_CELLS, TRUTH_NUCLEI
from sthelar_build.settings.simulate import SimulateSettings

logger = logging.getLogger(__name__)

_HE_NAME = "he_image"


@dataclass(frozen=True)
class _Made:
    """A simulated slide, one region or a mosaic of blocks, before it is written."""

    mosaic: Mosaic
    he: Image | MosaicImage
    morphology_from_he: Affine
    programmes: Programmes


def run(
    out: OutFile,
    slide: Word,
    settings: Annotated[SimulateSettings, as_json(SimulateSettings)],
) -> None:
    """Make a toy slide: a Xenium bundle, its H&E, an alignment, a reference atlas, and the truth."""
    recipe = settings.part(Recipe)
    source = provenance("simulate", settings)
    made = (
        _one_region(recipe) if recipe.mosaic_rows * recipe.mosaic_columns == 1 else _mosaic(recipe)
    )
    _log_counts(slide, made.mosaic)
    with published(out) as draft:
        (draft / "truth").mkdir(parents=True)
        _write_truth(draft / "truth", slide, recipe, made, source)
        _write_alignment(draft, recipe, made)
        _write_reference(draft / "reference.h5ad", recipe, made.programmes, source)
        _write_he(draft / f"{_HE_NAME}.ome.tif", recipe, made.he)
        write_bundle(
            draft / "xenium", made.mosaic, xoa_version=recipe.xoa_version, seed=recipe.seed
        )


def _one_region(recipe: Recipe) -> _Made:
    scene = simulate_scene(recipe)
    morphology_from_he, shape_px = he_canvas(recipe)
    he = _he_of(scene, morphology_from_he, shape_px)
    shown = as_version(scene.slide, recipe.xoa_version)
    return _Made(Mosaic.of(shown), he, morphology_from_he, scene.programmes)


def _mosaic(recipe: Recipe) -> _Made:
    morphology_from_he, shape_px = block_canvas(recipe)
    stains = slide_stains(stream(recipe.seed, "stains"), recipe.he_stain_variation)
    blocks, images = [], []
    for number, scene in enumerate(block_scenes(recipe), start=1):
        images.append(_he_of(scene, morphology_from_he, shape_px, stains))
        blocks.append(as_version(scene.slide, recipe.xoa_version))
        logger.info("block %d: %d cells", number, len(scene.slide.cells))
    places = chosen_places(recipe.seed, recipe.mosaic_rows, recipe.mosaic_columns, len(blocks))
    numbered = traits_of(recipe.xoa_version).integer_ids
    redraw = Redraw.of(blocks, recipe.seed, recipe.mixing)
    mosaic = Mosaic(tuple(blocks), places, numbered, redraw)
    return _Made(mosaic, MosaicImage(tuple(images), places), morphology_from_he, scene.programmes)


def _he_of(
    scene: Scene,
    morphology_from_he: Affine,
    shape_px: tuple[int, int],
    stains: Stains | None = None,
) -> NDArray[np.uint8]:
    return render_he(
        scene.recipe.seed,
        scene.tissue,
        scene.population,
        morphology_from_he.then(um_from_morphology()),
        shape_px,
        scene.recipe.he_stain_variation,
        stains,
    )


def _log_counts(name: str, mosaic: Mosaic) -> None:
    for number, (copies, block) in enumerate(zip(mosaic.copies, mosaic.blocks, strict=True), 1):
        logger.info(
            "%s, block %d, laid out %d times: %d cells of %d fine types (%d low-count, %d mixed), %d nuclei, "
            "%d transcripts, %.1f %% in cells",
            name,
            number,
            copies,
            len(block.cells),
            block.cells["fine_label"].nunique(),
            block.cells["low_count"].sum(),
            block.cells["mixed_with"].notna().sum(),
            len(block.nuclei),
            len(block.transcripts),
            100 * (block.transcripts["cell_row"] >= 0).mean(),
        )


def _write_he(path: Path, recipe: Recipe, image: Image | MosaicImage) -> None:
    stated_um_per_px = recipe.he_um_per_px * (1 + recipe.he_tag_error)
    write_ome_tiff(
        path, image, stated_um_per_px, channel_names=["RGB"], compression="jpeg", tile_px=512
    )


def _write_alignment(folder: Path, recipe: Recipe, made: _Made) -> None:
    centroids = [part.slide.nuclei.geometry.centroid for part in made.mosaic.parts(molecules=False)]
    landmarks_um = np.concatenate([np.stack([c.x, c.y], axis=1) for c in centroids])
    clicked = clicked_keypoints(recipe, made.morphology_from_he, landmarks_um)
    keypoints = clicked.to_csv(index=False, lineterminator="\n")
    matrix = _matrix_csv(made.morphology_from_he)
    (folder / "alignment_keypoints.csv").write_text(keypoints, encoding="utf-8")
    (folder / "alignment_matrix.csv").write_text(matrix, encoding="utf-8")
    with zip_writer(folder / "alignment_explorer.zip") as archive:
        archive.add(f"{_HE_NAME}_matrix.csv", matrix.encode(), compress=True)
        archive.add(f"{_HE_NAME}_keypoints.csv", keypoints.encode(), compress=True)


def _matrix_csv(transform: Affine) -> str:
    text = io.StringIO()
    np.savetxt(text, transform.matrix, delimiter=",", fmt="%.17g")
    return text.getvalue()


def _write_reference(
    path: Path, recipe: Recipe, programmes: Programmes, source: Provenance
) -> None:
    rng = stream(recipe.seed, "atlas")
    atlas = reference_atlas(rng, programmes, recipe.reference_cells)
    names = [f"cell_{number:05d}" for number in range(len(atlas.labels))]
    table = anndata.AnnData(
        X=atlas.counts,
        obs=pd.DataFrame({"cell_type": pd.Categorical(atlas.labels)}, index=names),
        var=pd.DataFrame({"gene_id": list(programmes.gene_ids)}, index=list(programmes.genes)),
    )
    write_h5ad(path, table, source)


def _write_truth(folder: Path, name: str, recipe: Recipe, made: _Made, source: Provenance) -> None:
    mosaic = made.mosaic
    with (
        table_writer(folder / "cells.parquet", TRUTH_CELLS, source) as cells,
        table_writer(folder / "nuclei.parquet", TRUTH_NUCLEI, source) as nuclei,
    ):
        for part in mosaic.parts(molecules=False):
            cells.write_table(arrow_table(part.slide.cells[TRUTH_CELLS.names], TRUTH_CELLS))
            nuclei.write_table(arrow_table(_true_nuclei(part), TRUTH_NUCLEI))
    height_px, width_px = mosaic.shape_px
    record: dict[str, Any] = {
        "slide": name,
        "matrix": made.morphology_from_he.matrix.tolist(),
        "source": made.morphology_from_he.source,
        "target": made.morphology_from_he.target,
        "he_um_per_px": recipe.he_um_per_px,
        "he_width_px": made.he.shape[1],
        "he_height_px": made.he.shape[0],
        "pixel_size_um": PIXEL_SIZE_UM,
        "width_px": width_px,
        "height_px": height_px,
        "n_cells": mosaic.sizes.cells,
        "n_nuclei": mosaic.sizes.nuclei,
        "n_transcripts": mosaic.sizes.transcripts,
        "recipe": json.loads(json.dumps(recipe.__dict__)),
    }
    write_record(folder / "truth.json", record, source)


def _true_nuclei(part: Part) -> pd.DataFrame:
    nuclei = part.slide.nuclei
    owners = part.slide.cells["cell_id"].to_numpy()[nuclei["cell_row"]]
    numbers = part.first.nuclei + np.arange(1, len(nuclei) + 1, dtype=np.uint32)
    return pd.DataFrame(
        {
            "nucleus_id": numbers.astype(np.uint32),
            "cell_id": owners,
            "geometry": nuclei.geometry.to_numpy(),
        }
    )
