"""Same cells in, same cells out: every kind of bundle through ingest and count, against the truth of its slide."""

import json

import anndata
import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from slides.bundle_kinds import KINDS
from slides.five_cells import FEATURES, SHAPE_PX, vendor_matrix
from sthelar_build.io.images.morphology import open_morphology
from sthelar_build.io.images.pyramids import morphology_files
from sthelar_build.io.xenium.bundle import CELLS_ZARR
from sthelar_build.io.xenium.nucleus_raster import open_nucleus_raster
from sthelar_build.settings.count import CountSettings
from sthelar_build.settings.ingest import IngestSettings
from sthelar_build.stages import count, ingest

TABLES = ("nuclei.parquet", "cells.parquet", "transcripts.parquet", "bundle.json")
COUNTS = ("counts_nuclei.h5ad", "counts_cells.h5ad")
PIXEL_UM = 0.2125
N_GENES = 3
CATEGORIES = ["gene"] * N_GENES + FEATURES["category"].tolist()[N_GENES:]


class Built:
    """A kind of bundle, the truth of its slide, and what the stages made of it."""

    def __init__(self, kind, folder):
        self.kind, self.truth, self.bundle = kind, kind.truth, kind.bundle(folder / "outs")
        whole = kind.whole(folder / "whole")
        self.matrix, self.raster = vendor_matrix(whole), whole.path(CELLS_ZARR)
        nuclei, cells, transcripts, facts = (folder / name for name in TABLES)
        counts = [folder / name for name in COUNTS]
        ingest.run(self.bundle.folder, nuclei, cells, transcripts, facts, settings=IngestSettings())
        count.run(transcripts, nuclei, cells, facts, *counts, settings=CountSettings())
        self.nuclei, self.cells = (geopandas.read_parquet(path) for path in (nuclei, cells))
        self.transcripts = pd.read_parquet(transcripts)
        self.facts = json.loads(facts.read_text())
        self.in_nuclei, self.in_cells = (anndata.read_h5ad(path) for path in counts)


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS.keys())
def built(request, tmp_path_factory):
    return Built(request.param, tmp_path_factory.mktemp("kind"))


def test_the_cells_are_those_of_the_slide(built):
    cells, truth = built.cells, built.truth.cells
    assert cells["cell_id"].tolist() == truth["cell_id"].tolist()
    np.testing.assert_allclose(cells["x_um"], truth.centroid.x)
    np.testing.assert_allclose(cells["y_um"], truth.centroid.y)
    np.testing.assert_allclose(cells["area_um2"], truth.area, rtol=1e-5)
    methods = truth["segmentation_method"]
    assert cells["segmentation_method"].fillna("").tolist() == methods.fillna("").tolist()


def test_every_cell_has_its_nuclei(built):
    owners = built.truth.nuclei["cell_row"]
    of_cell = np.bincount(owners, minlength=len(built.truth.cells))
    assert built.cells["nucleus_count"].tolist() == of_cell.tolist()
    ids = built.truth.cells["cell_id"].to_numpy()
    assert built.nuclei["cell_id"].tolist() == ids[owners].tolist()
    # A pixel belongs to a nucleus by its centre: traced outlines are off by less than the border's pixels.
    border = built.truth.nuclei.length.to_numpy() * PIXEL_UM
    allowed_um2 = border if built.kind.raster_nuclei else np.full(len(owners), 1e-3)
    outlines = built.nuclei.geometry.to_numpy()
    differing = shapely.symmetric_difference(outlines, built.truth.nuclei.geometry.to_numpy())
    assert (shapely.area(differing) < allowed_um2).all()


def test_every_nucleus_knows_its_value_in_the_raster(built):
    inside = shapely.get_coordinates(built.nuclei.geometry.representative_point())
    columns, rows = np.floor(inside / PIXEL_UM).astype(int).T
    # The raster of the bundle before anything was done to it: some kinds have lost it.
    with open_nucleus_raster(built.raster) as raster:
        shown = raster.window(0, 0, *SHAPE_PX)[rows, columns]
    assert built.nuclei["raster_label"].tolist() == shown.tolist()
    assert (shown > 0).all()


def test_the_transcripts_are_those_of_the_slide(built):
    found, truth = built.transcripts, built.truth.transcripts
    assert found["transcript_id"].tolist() == truth["transcript_id"].tolist()
    cell_ids = np.append(built.truth.cells["cell_id"], None)[truth["cell_row"]]
    assert found["cell_id"].where(found["cell_id"].notna(), None).tolist() == cell_ids.tolist()
    assert found["overlaps_nucleus"].tolist() == truth["overlaps_nucleus"].tolist()
    for column in ("x_um", "y_um", "z_um", "qv"):
        np.testing.assert_array_equal(found[column], truth[column])
    codewords = truth["codeword_index"].to_numpy()
    assert found["feature_name"].tolist() == FEATURES["name"].iloc[codewords].tolist()
    assert found["category"].tolist() == np.array(CATEGORIES)[codewords].tolist()


def test_the_counts_are_those_of_the_vendor(built):
    matrix = built.matrix
    assert built.in_cells.obs_names.tolist() == matrix.obs_names.tolist()
    genes = (matrix.var["feature_types"] == "Gene Expression").to_numpy()
    assert built.in_cells.var_names.tolist() == matrix.var_names[genes].tolist()
    np.testing.assert_array_equal(built.in_cells.X.toarray(), matrix.X[:, genes].toarray())


def test_the_nuclei_count_what_lies_in_them(built):
    truth = built.truth.transcripts
    codewords = truth["codeword_index"].to_numpy()
    good = (truth["qv"] >= 20) & (codewords < N_GENES)
    expected = np.zeros((len(built.nuclei), N_GENES))
    for row, nucleus in enumerate(built.truth.nuclei.geometry):
        inside = shapely.contains_xy(nucleus, truth["x_um"], truth["y_um"]) & good
        np.add.at(expected[row], codewords[inside], 1)
    np.testing.assert_array_equal(built.in_nuclei.X.toarray(), expected)


def test_the_image_is_that_of_the_slide(built):
    channels = built.truth.morphology
    assert built.facts["channels"] == list(channels)
    assert (built.facts["height_px"], built.facts["width_px"]) == SHAPE_PX
    files = morphology_files(built.bundle.morphology)
    assert len(files) == len(channels)
    for path, pixels in zip(files, channels.values(), strict=True):
        with open_morphology(path) as image:
            np.testing.assert_array_equal(image.read(0, 0, *SHAPE_PX[::-1]), pixels)
