"""The latent space of scVI, where scvi-tools is installed; what is said where it is not."""

from importlib.util import find_spec

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.adapters.scvi import check_scvi, scvi_latent
from sthelar_build.errors import ConfigError

with_scvi = pytest.mark.skipif(find_spec("scvi") is None, reason="scvi-tools is not installed")


def counts(n):
    """Return counts of three types of cells, by turns."""
    rng = np.random.default_rng(0)
    profiles = np.kron(np.eye(3), np.full(10, 5.0)) + 0.3
    return sp.csr_matrix(rng.poisson(profiles[np.arange(n) % 3]).astype(np.float32))


@pytest.mark.skipif(find_spec("scvi") is not None, reason="scvi-tools is installed")
def test_without_scvi_tools_the_remedy_is_named():
    with pytest.raises(ConfigError, match=r"expected scvi-tools .* pip install scvi-tools, or"):
        check_scvi()


@pytest.mark.parametrize("n", [0, 19])
def test_too_few_rows_to_learn_from_lie_at_the_origin(n):
    assert scvi_latent(counts(n), 4, 5, 0).tolist() == [[0] * 4] * n


@with_scvi
@pytest.mark.slow
def test_types_lie_apart_and_a_second_run_gives_the_same():
    """144 rows leave 129 to train on, one more than a batch: a batch of one must not break the training."""
    check_scvi()
    one, two = (scvi_latent(counts(144), 4, 60, 0) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (144, 4)
    centres = np.stack([one[kind::3].mean(axis=0) for kind in range(3)])
    right = np.linalg.norm(one[:, None] - centres, axis=2).argmin(axis=1) == np.arange(144) % 3
    assert right.mean() > 0.9
