import json

import anndata
import geopandas
import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.simulation.alignment import um_from_morphology
from sthelar_build.io.alignment import read_alignment
from sthelar_build.io.images.he import open_he
from sthelar_build.io.records import read_record
from sthelar_build.io.tables import read_table
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import TRUTH_CELLS, TRUTH_NUCLEI
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.stages import simulate

SMALL = {"width_um": 120, "height_um": 120, "transcripts_per_cell": 40, "reference_cells": 1}
RECIPES = {
    "breast": SimulateSettings(**SMALL),
    "skin": SimulateSettings(
        **SMALL,
        tissue="skin",
        xoa_version="1.9.0.0",
        he_rotation_deg=-12,
        he_mirrored=True,
        he_tag_error=0.08,
    ),
}


@pytest.fixture(scope="module", params=RECIPES)
def made(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("toys") / request.param
    simulate.run(out=out, slide=request.param, settings=RECIPES[request.param])
    return out


def test_everything_is_there_and_nothing_else(made):
    assert sorted(path.name for path in made.iterdir()) == [
        "alignment_explorer.zip",
        "alignment_keypoints.csv",
        "alignment_matrix.csv",
        "he_image.ome.tif",
        "reference.h5ad",
        "truth",
        "xenium",
    ]
    assert (made / "xenium" / "experiment.xenium").is_file()
    assert [path for path in made.parent.iterdir() if path.name.startswith(".")] == []


def test_all_three_alignments_tell_the_truth(made):
    truth = read_record(made / "truth" / "truth.json", ("matrix", "recipe", "he_um_per_px"))
    true = Affine(np.array(truth["matrix"]), Frame.HE, Frame.MORPHOLOGY)
    matrix = read_alignment(made / "alignment_matrix.csv").matrix
    assert matrix is not None
    assert np.array_equal(matrix.matrix, true.matrix)
    clicked = read_alignment(made / "alignment_keypoints.csv").keypoints
    zipped = read_alignment(made / "alignment_explorer.zip")
    assert clicked is not None
    assert zipped.matrix is not None
    assert zipped.keypoints is not None
    fixed, alignment = clicked
    there_um = true.then(um_from_morphology()).apply(alignment)
    assert np.median(np.abs(there_um - um_from_morphology().apply(fixed))) < 0.6
    assert np.array_equal(zipped.keypoints[1], alignment)


def test_the_h_and_e_states_its_pixel_size_with_the_error_of_the_recipe(made):
    error = read_record(made / "truth" / "truth.json", ["recipe"])["recipe"]["he_tag_error"]
    with open_he(made / "he_image.ome.tif") as image:
        assert image.um_per_px == pytest.approx(0.2738 * (1 + error))


def test_the_truth_reads_and_matches_the_bundle(made):
    cells = read_table(made / "truth" / "cells.parquet", TRUTH_CELLS)
    nuclei = read_table(made / "truth" / "nuclei.parquet", TRUTH_NUCLEI)
    bundle = pd.read_parquet(made / "xenium" / "cells.parquet")
    shown = [value.decode() if isinstance(value, bytes) else value for value in bundle["cell_id"]]
    assert cells["cell_id"].tolist() == shown
    assert nuclei["nucleus_id"].tolist() == list(range(1, len(nuclei) + 1))
    assert set(nuclei["cell_id"]) <= set(cells["cell_id"])
    assert len(geopandas.read_parquet(made / "truth" / "nuclei.parquet")) == len(nuclei)


def test_before_xoa_2_no_cell_has_two_nuclei(made):
    nuclei = read_table(made / "truth" / "nuclei.parquet", TRUTH_NUCLEI)
    if made.name == "skin":
        assert nuclei["cell_id"].is_unique


def test_the_atlas_has_every_type_of_the_slide_and_more_genes_than_the_panel(made):
    atlas = anndata.read_h5ad(made / "reference.h5ad")
    types = set(read_table(made / "truth" / "cells.parquet", TRUTH_CELLS)["fine_label"])
    panel = json.loads((made / "xenium" / "gene_panel.json").read_text())
    assert types < set(atlas.obs["cell_type"])
    assert atlas.obs["cell_type"].value_counts().min() >= 40
    assert np.array_equal(atlas.X.data, atlas.X.data.astype(int))
    assert atlas.n_vars == 620
    assert panel["payload"]["targets"]


def test_a_second_run_replaces_the_folder_with_the_same_content(tmp_path):
    out = tmp_path / "slide"
    (out / "xenium").mkdir(parents=True)
    simulate.run(out=out, slide="a", settings=RECIPES["breast"])
    first = (out / "xenium" / "transcripts.parquet").read_bytes()
    image = (out / "he_image.ome.tif").read_bytes()
    simulate.run(out=out, slide="a", settings=RECIPES["breast"])
    assert (out / "xenium" / "transcripts.parquet").read_bytes() == first
    assert (out / "he_image.ome.tif").read_bytes() == image
