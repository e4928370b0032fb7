"""Scores of every object, from whatever atlas and panel."""

import logging

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.config import AnnotateSettings
from sthelar_build.errors import InputError
from sthelar_build.io.scores import read_scores
from sthelar_build.io.tables import read_attributes, read_provenance
from sthelar_build.stages.annotate import run

SETTINGS = AnnotateSettings(epochs=60, density_epochs=30, min_shared_genes=5)
GENES = [f"G{number}" for number in range(12)]
TYPES = ["B cells", "Fibroblast", "T cells"]


def profiles():
    return np.kron(np.eye(3), np.full(4, 6.0)) + 0.3


def table(path, types, obs, genes=GENES, seed=0, empty=()):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(profiles()[types]).astype(np.float32)
    counts[list(empty)] = 0
    var = pd.DataFrame({"gene_id": [f"ENSG{number:03d}" for number in range(12)]}, index=genes)
    obs = obs.set_axis([str(number) for number in range(len(types))])
    anndata.AnnData(sp.csr_matrix(counts), obs=obs, var=var).write_h5ad(path)


@pytest.fixture
def atlas(tmp_path):
    types = np.arange(60) % 3
    obs = pd.DataFrame({"ct": [TYPES[number] for number in types]})
    table(tmp_path / "atlas.h5ad", types, obs, seed=1)
    return tmp_path / "atlas.h5ad"


@pytest.fixture
def counts(tmp_path):
    types = np.arange(30) % 3
    obs = pd.DataFrame({"cell_id": [f"c{number}" for number in range(30)]})
    path = tmp_path / "counts_cells.h5ad"
    table(path, types, obs, empty=[7])
    return path


def test_every_cell_gets_the_shares_of_its_type(tmp_path, counts, atlas):
    out = tmp_path / "tangram.parquet"
    run(counts, atlas, "ct", out, SETTINGS)
    found = read_scores(out)
    assert found.ids.tolist() == [f"c{number}" for number in range(30)]
    assert found.labels == TYPES
    mapped = np.arange(30) != 7
    np.testing.assert_allclose(found.shares[mapped].sum(axis=1), 1, rtol=1e-5)
    assert (found.shares.argmax(axis=1) == np.arange(30) % 3)[mapped].all()
    assert read_attributes(out)["labels"] == {
        "B cells": "B_Plasma",
        "Fibroblast": "Fibroblast_Myofibroblast",
        "T cells": "T_NK",
    }
    assert read_provenance(out)["settings"]["epochs"] == 60


def test_a_cell_without_counts_has_null_scores_and_is_logged(tmp_path, counts, atlas, caplog):
    out = tmp_path / "tangram.parquet"
    with caplog.at_level(logging.INFO):
        run(counts, atlas, "ct", out, SETTINGS)
    assert np.isnan(read_scores(out).shares[7]).all()
    assert "mapped 29 of 30 objects" in caplog.text


def test_nuclei_are_told_by_their_id(tmp_path, atlas):
    obs = pd.DataFrame({"cell_id": ["a", "a", "b"], "nucleus_id": np.array([1, 2, 3], np.uint32)})
    table(tmp_path / "nuclei.h5ad", np.array([0, 1, 2]), obs)
    run(tmp_path / "nuclei.h5ad", atlas, "ct", tmp_path / "out.parquet", SETTINGS)
    found = read_scores(tmp_path / "out.parquet")
    assert (found.id_column, found.ids.dtype) == ("nucleus_id", np.uint32)


def test_a_panel_with_other_symbols_meets_the_atlas_by_ids(tmp_path, atlas):
    obs = pd.DataFrame({"cell_id": list("abc")})
    table(tmp_path / "x.h5ad", np.array([0, 1, 2]), obs, genes=[f"OLD{n}" for n in range(12)])
    run(tmp_path / "x.h5ad", atlas, "ct", tmp_path / "out.parquet", SETTINGS)
    assert read_scores(tmp_path / "out.parquet").shares.argmax(axis=1).tolist() == [0, 1, 2]


def test_an_atlas_of_another_species_is_refused_and_leaves_nothing(tmp_path, counts, atlas):
    mouse = anndata.read_h5ad(atlas)
    mouse.var_names = [f"Mm{number}" for number in range(12)]
    mouse.var["gene_id"] = [f"ENSMUSG{number}" for number in range(12)]
    mouse.write_h5ad(tmp_path / "mouse.h5ad")
    with pytest.raises(InputError, match=r"expected at least 5 of the 12 genes .* found 0"):
        run(counts, tmp_path / "mouse.h5ad", "ct", tmp_path / "out.parquet", SETTINGS)
    assert not (tmp_path / "out.parquet").exists()


def test_a_label_that_nobody_knows_needs_a_map(tmp_path, counts, atlas):
    odd = anndata.read_h5ad(atlas)
    odd.obs["ct"] = odd.obs["ct"].astype(str).replace("Fibroblast", "cluster seventeen")
    odd.write_h5ad(tmp_path / "odd.h5ad")
    with pytest.raises(InputError, match=r"'cluster seventeen' .*give a label_map"):
        run(counts, tmp_path / "odd.h5ad", "ct", tmp_path / "out.parquet", SETTINGS)
    label_map = tmp_path / "map.tsv"
    label_map.write_text("label\tclass\ncluster seventeen\tMyeloid\n", encoding="utf-8")
    out = tmp_path / "out.parquet"
    run(counts, tmp_path / "odd.h5ad", "ct", out, SETTINGS, label_map=label_map)
    assert read_attributes(out)["labels"]["cluster seventeen"] == "Myeloid"


def test_labels_with_too_few_cells_are_left_out_and_logged(tmp_path, counts, atlas, caplog):
    rare = anndata.read_h5ad(atlas)
    rare.obs["ct"] = rare.obs["ct"].astype(str)
    rare.obs.iloc[0, 0] = "Mast"
    rare.write_h5ad(tmp_path / "rare.h5ad")
    out = tmp_path / "out.parquet"
    with caplog.at_level(logging.INFO):
        run(counts, tmp_path / "rare.h5ad", "ct", out, SETTINGS)
    assert read_scores(out).labels == TYPES
    assert "label 'Mast' left out: 1 cells" in caplog.text
