"""Clusters of the three tables: who is in, and what is written."""

from importlib.util import find_spec

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.errors import ConfigError
from sthelar_build.settings.cluster import ClusterSettings
from sthelar_build.stages.cluster import run

SETTINGS = ClusterSettings(components=4, neighbours=6, resolutions=(0.5, 1), ranked_genes=3)
GENES = [f"G{number}" for number in range(8)]


@pytest.fixture
def paths(tmp_path):
    """Write 60 cells of two types; cell 0 is nearly empty, cell 1 has no nucleus, cell 2 has two."""
    rng = np.random.default_rng(0)
    cells = rng.poisson(np.kron(np.eye(2), np.full(4, 9.0))[np.arange(60) % 2] + 0.5)
    cells[0] = [3, 0, 0, 0, 0, 0, 0, 0]
    nuclear = rng.binomial(cells, 0.5)
    owners = np.array([0, 2, 2, *range(3, 60)])
    nuclei = nuclear[owners]
    ids = np.array([f"c{number}" for number in range(60)])
    write(tmp_path / "cells.h5ad", cells, pd.DataFrame({"cell_id": ids}, index=ids))
    numbers = np.arange(1, 61, dtype=np.uint32)[: len(owners)]
    obs = {"cell_id": ids[owners], "nucleus_id": numbers}
    write(tmp_path / "nuclei.h5ad", nuclei, pd.DataFrame(obs, index=numbers.astype(str)))
    return tmp_path / "nuclei.h5ad", tmp_path / "cells.h5ad"


def write(path, counts, obs):
    var = pd.DataFrame(index=GENES)
    anndata.AnnData(sp.csr_matrix(counts.astype(np.float32)), obs=obs, var=var).write_h5ad(path)


def clustered(paths, table, tmp_path, **options):
    out = tmp_path / f"clusters_{table}.h5ad"
    run(*paths, table, out, SETTINGS, **options)
    return anndata.read_h5ad(out)


def test_cells_below_the_threshold_are_left_out(paths, tmp_path):
    found = clustered(paths, "cells", tmp_path)
    assert found.obs["cell_id"].tolist() == [f"c{number}" for number in range(1, 60)]
    assert found.obsm["X_pca"].shape == (59, 4)
    assert found.obsm["X_umap"].shape == (59, 2)


def test_the_two_types_are_apart_and_ranked_by_their_genes(paths, tmp_path):
    found = clustered(paths, "cells", tmp_path)
    odd = found.obs["cell_id"].str[1:].astype(int) % 2
    together = pd.crosstab(found.obs["leiden_0.5"], odd)
    assert (together.min(axis=1) == 0).all()
    ranking = found.uns["rank_genes_groups"]
    assert ranking["group"].value_counts().tolist() == [3] * found.obs["leiden_1"].nunique()
    best = set(ranking.groupby("group")["names"].first())
    assert best & set(GENES[:4])
    assert best & set(GENES[4:])


def test_nuclei_keep_both_ids(paths, tmp_path):
    found = clustered(paths, "nuclei", tmp_path)
    assert {"cell_id", "nucleus_id", "leiden_0.5", "leiden_1"} <= set(found.obs)
    assert found.obs["nucleus_id"].dtype == np.uint32


def test_the_combined_table_has_the_cells_that_own_a_nucleus(paths, tmp_path):
    found = clustered(paths, "combined", tmp_path)
    assert found.obs["cell_id"].tolist() == [f"c{number}" for number in range(2, 60)]
    assert "nucleus_id" not in found.obs


def test_the_table_says_how_it_was_clustered(paths, tmp_path):
    found = clustered(paths, "cells", tmp_path)
    how = {"device": "cpu", "neighbours": "exact", "umap_fitted_rows": 59}
    assert dict(found.uns["clustering"]) == how


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_read(paths, tmp_path):
    settings = SETTINGS.model_copy(update={"device": "cuda"})
    with pytest.raises(ConfigError, match=r"cluster.device: expected rapids-singlecell and a GPU"):
        run(*paths, "cells", tmp_path / "x.h5ad", settings)


@pytest.mark.parametrize("table", ["nuclei", "cells", "combined"])
def test_threads_change_nothing(paths, tmp_path, table):
    one = clustered(paths, table, tmp_path, threads=1)
    two = clustered(paths, table, tmp_path, threads=2)
    np.testing.assert_array_equal(one.obsm["X_umap"], two.obsm["X_umap"])
    assert one.obs.equals(two.obs)


def test_a_slide_without_enough_transcripts_gives_an_empty_valid_table(paths, tmp_path):
    out = tmp_path / "none.h5ad"
    run(*paths, "cells", out, SETTINGS.model_copy(update={"min_transcripts": 10_000}))
    found = anndata.read_h5ad(out)
    assert found.n_obs == 0
    assert {"leiden_0.5", "leiden_1"} <= set(found.obs)


@pytest.mark.skipif(find_spec("scvi") is not None, reason="scvi-tools is installed")
def test_scvi_without_scvi_tools_is_refused(paths, tmp_path):
    with pytest.raises(ConfigError, match=r"--table scvi: expected scvi-tools to be installed"):
        run(*paths, "scvi", tmp_path / "x.h5ad", SETTINGS)


@pytest.mark.skipif(find_spec("scvi") is None, reason="scvi-tools is not installed")
def test_cells_are_clustered_in_the_latent_space_of_scvi(paths, tmp_path):
    found = clustered(paths, "scvi", tmp_path)
    assert found.obsm["X_scVI"].shape == (59, 10)
    assert found.obs["cell_id"].tolist() == [f"c{number}" for number in range(1, 60)]
    assert {"leiden_0.5", "leiden_1"} <= set(found.obs)


def test_an_unknown_table_is_refused(paths, tmp_path):
    with pytest.raises(
        ConfigError, match="expected one of nuclei, cells, combined, scvi, found 'cell'"
    ):
        run(*paths, "cell", tmp_path / "x.h5ad", SETTINGS)
