"""The engine in torch is the compiled one, up to rounding."""

import numpy as np
import pytest
import torch

from slides.mapped_cells import EACH_TERM, problem, start_of
from sthelar_build.adapters.tangram_torch import has_gpu, place_labels_with_torch
from sthelar_build.core.mapping.chunks import place_labels
from sthelar_build.core.mapping.descent import Schedule
from sthelar_build.errors import ConfigError

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("term", EACH_TERM)
def test_it_takes_the_steps_of_the_compiled_engine(term, device):
    case = problem(EACH_TERM[term], n_cells=600, n_genes=40)
    start = start_of(case)
    ours, history = place_labels(case, start, Schedule(60))
    found, again = place_labels_with_torch(case, start, Schedule(60), device)
    for name in ("total", "genes", "cells", "divergence"):
        assert [getattr(terms, name) for terms in again] == pytest.approx(
            [getattr(terms, name) for terms in history], abs=1e-5
        )
    assert again[-1].entropy == pytest.approx(history[-1].entropy, rel=1e-4)
    assert (ours.argmax(axis=1) == found.argmax(axis=1)).mean() >= 0.999
    np.testing.assert_allclose(found, ours, rtol=0.02, atol=1e-3 * ours.max())


def test_it_stops_where_the_compiled_engine_stops():
    case = problem(n_cells=200)
    schedule = Schedule(400, tolerance=1e-3)
    _, ours = place_labels(case, start_of(case), schedule)
    _, found = place_labels_with_torch(case, start_of(case), schedule, "cpu")
    assert len(found) == len(ours) < 300


def test_the_cpu_is_taken_where_it_is_asked_for_or_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert not has_gpu("cpu")
    assert not has_gpu("auto")
    with pytest.raises(ConfigError, match=r"annotate.device: expected a GPU .* found none"):
        has_gpu("cuda")
