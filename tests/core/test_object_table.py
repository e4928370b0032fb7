import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.core.object_table import object_table, summed_over_nuclei
from sthelar_build.core.scores import Scores


def _counts(rows, names, cell_ids):
    table = anndata.AnnData(
        sp.csr_matrix(np.array(rows, dtype=np.float32)),
        obs=pd.DataFrame({"cell_id": cell_ids, "x_um": 0.0, "y_um": 0.0}, index=names),
        var=pd.DataFrame(index=["A", "B"]),
    )
    table.obsm["spatial"] = np.zeros((len(names), 2))
    return table


@pytest.fixture
def labels():
    return pd.DataFrame(
        {
            "final_label": ["Other", "T_NK"],
            "label1": ["less10", "T"],
            "label2": ["less10", "Treg"],
            "label3": ["less10", "normal_cell"],
            "confidence": [0.0, 0.5],
            "decided_by": ["low_count", "markers"],
            "cluster": [None, "3"],
        },
        index=["b-1", "a-1"],
    )


@pytest.fixture
def clusters():
    table = anndata.AnnData(obs=pd.DataFrame({"leiden_1": ["7"]}, index=["a-1"]))
    table.obsm["X_pca"] = np.array([[1.0, 2.0, 3.0]])
    table.obsm["X_umap"] = np.array([[4.0, 5.0]])
    return table


@pytest.fixture
def scores():
    shares = np.array([[0.3, 0.7]], dtype=np.float32)
    return Scores("cell_id", np.array(["a-1"], dtype=object), ["T/NK", "B"], shares)


@pytest.fixture
def table(clusters, scores, labels):
    counts = _counts([[1, 1], [0, 0]], ["a-1", "b-1"], ["a-1", "b-1"])
    return object_table(counts, clusters, scores, labels, "slide_1")


def test_rows_keep_the_order_of_the_counts_whatever_the_order_of_the_labels(table):
    assert table.obs["final_label"].tolist() == ["T_NK", "Other"]
    assert table.obs["confidence"].tolist() == [0.5, 0.0]


def test_a_row_without_counts_stays_empty(table):
    np.testing.assert_allclose(table.X.toarray(), [[np.log1p(5e3)] * 2, [0, 0]], rtol=1e-6)


def test_objects_that_no_one_clustered_or_scored_have_missing_values(table):
    assert table.obs["leiden_1"].tolist()[0] == "7"
    assert table.obs.loc["b-1", ["leiden_1", "ct_tangram", "tangram_score"]].isna().all()
    np.testing.assert_array_equal(table.obsm["X_umap"], [[4, 5], [np.nan, np.nan]])


def test_an_object_that_tangram_could_not_map_has_no_label(clusters, labels):
    unmapped = np.full((1, 2), np.nan, dtype=np.float32)
    scores = Scores("cell_id", np.array(["a-1"], dtype=object), ["T/NK", "B"], unmapped)
    table = object_table(_counts([[1, 1]], ["a-1"], ["a-1"]), clusters, scores, labels, "s")
    assert table.obs[["ct_tangram", "tangram_score"]].isna().all(axis=None)


def test_nuclei_are_found_by_number(clusters, labels):
    shares = np.array([[0.3, 0.7]], dtype=np.float32)
    scores = Scores("nucleus_id", np.array([7], dtype=np.uint32), ["T/NK", "B"], shares)
    table = object_table(_counts([[1, 1]], ["7"], ["a-1"]), clusters, scores, labels, "s")
    assert table.obs["ct_tangram"].tolist() == ["B"]


def test_the_best_label_may_hold_a_slash(table):
    assert table.obs["ct_tangram"].tolist()[0] == "B"
    assert table.uns["tangram_labels"].tolist() == ["T/NK", "B"]


def test_classes_stand_in_schema_order_with_a_colour_each(table):
    assert table.obs["final_label"].cat.categories.tolist() == ["T_NK", "Other"]
    assert table.uns["final_label_colors"].tolist() == ["#ff0f0f", "#8f8f8f"]


def test_the_gene_ranking_goes_with_the_table(clusters, scores, labels):
    clusters.uns["rank_genes_groups"] = {"params": {"method": "wilcoxon"}}
    counts = _counts([[1, 1]], ["a-1"], ["a-1"])
    table = object_table(counts, clusters, scores, labels, "s")
    assert table.uns["rank_genes_groups"]["params"]["method"] == "wilcoxon"


def test_counts_of_all_nuclei_of_a_cell_are_summed_and_strangers_left_out():
    nuclei = _counts([[1, 0], [2, 3], [9, 9]], ["1", "2", "3"], ["a-1", "a-1", "x-1"])
    summed = summed_over_nuclei(nuclei, pd.Index(["b-1", "a-1"]))
    assert summed.toarray().tolist() == [[0, 0], [3, 3]]
