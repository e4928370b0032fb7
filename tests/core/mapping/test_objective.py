"""The objective without the predicted expression is that with it."""

import numpy as np
import pytest
import scipy.sparse as sp

from slides.mapped_cells import EACH_TERM, dense_terms, problem, start_of
from sthelar_build.core.mapping.chunks import ChunkedPlacement
from sthelar_build.core.mapping.objective import Objective, Weights, cell_similarity, gene_norms


@pytest.mark.parametrize("term", EACH_TERM)
def test_the_terms_are_those_of_the_dense_definition(term):
    case = problem(EACH_TERM[term], n_cells=90, n_genes=25)
    start = start_of(case)
    terms, _ = Objective(case).at(ChunkedPlacement(case, start))
    genes, cells, divergence, entropy = dense_terms(case, start.astype(float))
    weights = case.weights
    assert terms.genes == pytest.approx(genes, abs=1e-6)
    assert terms.cells == pytest.approx(cells if weights.cells else 0, abs=1e-6)
    assert terms.divergence == pytest.approx(divergence if weights.density else 0, abs=1e-6)
    assert terms.entropy == pytest.approx(entropy if weights.entropy else 0, abs=1e-4)
    total = weights.density * divergence + weights.entropy * entropy
    total -= weights.genes * genes + weights.cells * cells
    assert terms.total == pytest.approx(total, abs=1e-5)


def test_a_cell_that_should_get_no_rna_adds_nothing_to_the_divergence():
    case = problem(Weights(), n_cells=50)
    case.cell_density[7] = 0
    terms, slopes = Objective(case).at(ChunkedPlacement(case, start_of(case)))
    assert np.isfinite(terms.divergence)
    assert np.isfinite(slopes.column_sums).all()


def test_norms_of_genes_and_similarities_of_cells():
    counts = sp.csr_matrix([[3.0, 0, 1], [4, 0, 0]])
    assert gene_norms(counts).tolist() == [5, 0, 1]
    found = cell_similarity(counts, np.array([[1.0, 5, 0], [0, 5, 2]]))
    np.testing.assert_allclose(found, [[3 / 10**0.5, 2 / 10**0.5], [1, 0]], rtol=1e-6)
