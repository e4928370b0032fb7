"""Which device is taken. The work on a GPU itself is tried by no test: there is none here."""

from importlib.util import find_spec

import pytest

from sthelar_build.adapters.rapids import chosen_device
from sthelar_build.errors import ConfigError

without_rapids = pytest.mark.skipif(
    find_spec("rapids_singlecell") is not None, reason="rapids-singlecell is installed"
)


def test_the_cpu_is_taken_when_asked_for():
    assert chosen_device("cpu") == "cpu"


@without_rapids
def test_auto_takes_the_cpu_without_rapids():
    assert chosen_device("auto") == "cpu"


@without_rapids
def test_cuda_without_rapids_is_refused_with_the_remedy():
    with pytest.raises(
        ConfigError, match=r"cluster.device: .* found no rapids-singlecell; .* say cpu"
    ):
        chosen_device("cuda")
