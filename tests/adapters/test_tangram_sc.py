"""Our objective, its gradient and its steps are those of tangram-sc, term by term."""

import logging
import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from slides.mapped_cells import EACH_TERM, problem, start_of
from sthelar_build.adapters.tangram_sc import mapper_of, place_labels_with_tangram_sc
from sthelar_build.core.mapping.chunks import ChunkedPlacement, place_labels
from sthelar_build.core.mapping.descent import Schedule
from sthelar_build.core.mapping.objective import Objective, Problem
from sthelar_build.core.mapping.records import FIRST_BETA


@pytest.mark.parametrize("term", EACH_TERM)
def test_loss_and_gradient_are_those_of_its_autograd(term):
    case = problem(EACH_TERM[term], n_cells=120, n_genes=30)
    start = start_of(case)
    mapper = mapper_of(case)
    mapper.M = torch.tensor(start.T.copy(), requires_grad=True)
    loss = mapper._loss_fn(verbose=False)[0]
    loss.backward()
    expected = mapper.M.grad.numpy().T
    placement = ChunkedPlacement(case, start)
    terms, slopes = Objective(case).at(placement)
    placement.step(slopes, 1, 0.1)
    found = placement.state.mean[:, :4] / np.float32(1 - FIRST_BETA)
    assert terms.total == pytest.approx(loss.item(), abs=1e-5)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("term", EACH_TERM)
def test_the_same_start_ends_at_the_same_labels(term):
    case = problem(EACH_TERM[term], n_cells=600, n_genes=40)
    start = start_of(case)
    ours, history = place_labels(case, start, Schedule(60))
    theirs, said = place_labels_with_tangram_sc(case, start, Schedule(60))
    assert [terms.total for terms in history[:-1]] == pytest.approx(
        [terms.total for terms in said], abs=1e-5
    )
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).mean() >= 0.999
    np.testing.assert_allclose(ours, theirs, rtol=0.02, atol=1e-3 * theirs.max())


def test_the_engine_equals_map_cells_to_space():
    """The public function of tangram-sc, on raw counts, with its own seed."""
    rng = np.random.default_rng(0)
    genes = [f"g{number}" for number in range(15)]
    atlas = anndata.AnnData(
        sp.csr_matrix(rng.poisson(2, (40, 15)).astype(np.float32)),
        obs=pd.DataFrame({"label": list("aabc") * 10}, index=[f"r{n}" for n in range(40)]),
        var=pd.DataFrame(index=genes),
    )
    cells = anndata.AnnData(
        sp.csr_matrix(rng.poisson(2, (20, 15)).astype(np.float32)),
        obs=pd.DataFrame(index=[f"c{n}" for n in range(20)]),
        var=pd.DataFrame(index=genes),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        level = logging.getLogger().level
        import tangram

        tangram.pp_adatas(atlas, cells)
        theirs = tangram.map_cells_to_space(
            atlas,
            cells,
            mode="clusters",
            cluster_label="label",
            lambda_d=1,
            random_state=1,
            num_epochs=50,
            verbose=False,
        )
        logging.getLogger().setLevel(level)
    names = list(theirs.obs["label"])
    sums = [atlas[atlas.obs["label"] == name].X.sum(axis=0).A1 for name in names]
    totals = cells.X.sum(axis=1).A1
    case = Problem(
        np.array(sums), cells.X, totals / totals.sum(), np.array(theirs.obs["cluster_density"])
    )
    np.random.seed(1)  # noqa: NPY002  (the generator that tangram-sc uses)
    start = np.random.normal(0, 1, (3, 20)).T  # noqa: NPY002
    ours, _ = place_labels(case, start.astype(np.float32), Schedule(50))
    np.testing.assert_allclose(ours.T, theirs.X, rtol=1e-3, atol=1e-6)


def test_importing_tangram_leaves_the_logger_alone():
    before = logging.getLogger().level
    case = problem(n_cells=30)
    place_labels_with_tangram_sc(case, start_of(case), Schedule(1))
    assert logging.getLogger().level == before
