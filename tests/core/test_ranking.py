"""The sparse rank-sum test equals the dense one."""

import numpy as np
import scipy.sparse as sp
from scipy.stats import false_discovery_control, rankdata

from sthelar_build.core.ranking import benjamini_hochberg, rank_genes, wilcoxon_scores


def test_scores_equal_those_of_dense_ranks_with_ties():
    rng = np.random.default_rng(1)
    dense = rng.poisson(0.7, (60, 5)).astype(float)
    groups = rng.integers(0, 3, 60)
    scores = wilcoxon_scores(sp.csr_matrix(dense), groups, 3)
    ranks = rankdata(dense, axis=0)
    for group in range(3):
        inside = groups == group
        n, m = inside.sum(), (~inside).sum()
        spread = np.sqrt(n * m * 61 / 12)
        np.testing.assert_allclose(scores[group], (ranks[inside].sum(0) - n * 61 / 2) / spread)


def test_the_gene_of_a_group_comes_first():
    logged = sp.csr_matrix(np.kron(np.eye(2), np.ones((10, 1))))
    table = rank_genes(logged, np.repeat([0, 1], 10), ["0", "1"], ["A", "B"], keep=1)
    assert table["names"].tolist() == ["A", "B"]
    assert (table["pvals_adj"] < 0.01).all()


def test_a_group_that_is_everything_has_score_zero():
    table = rank_genes(sp.csr_matrix(np.eye(3)), np.zeros(3, dtype=int), ["0"], list("ABC"), 3)
    assert table["scores"].tolist() == [0, 0, 0]
    assert table["pvals"].tolist() == [1, 1, 1]


def test_adjusted_p_values_equal_those_of_scipy():
    pvals = np.array([0.01, 0.5, 0.02, 0.02, 1.0])
    np.testing.assert_allclose(benjamini_hochberg(pvals), false_discovery_control(pvals))
