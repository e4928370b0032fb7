"""The constants are those of the optimiser that tangram-sc uses."""

import torch

from sthelar_build.core.mapping.records import FIRST_BETA, SECOND_BETA


def test_momenta_decay_as_in_torch():
    adam = torch.optim.Adam([torch.zeros(1)])
    assert adam.defaults["betas"] == (FIRST_BETA, SECOND_BETA)
