import copy

import pytest
import torch
from torch import nn

from sthelar_build.adapters.cellvit.decoders import Branch
from sthelar_build.adapters.cellvit.inference import fold_norms
from sthelar_build.adapters.cellvit.merging import MergedDoubling, merge_doublings


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (4, 5)])
@pytest.mark.parametrize("n_skip", [0, 2])
def test_a_merged_doubling_is_the_two_convolutions_up_to_the_border(rows, columns, n_skip):
    torch.manual_seed(0)
    doubling = nn.ConvTranspose2d(3, 4, 2, stride=2)
    conv = nn.Conv2d(4 + n_skip, 5, 3, padding=1)
    features = torch.randn(2, 3, rows, columns)
    skip = torch.randn(2, n_skip, 2 * rows, 2 * columns)
    plain = conv(torch.cat([skip, doubling(features)], dim=1)).relu()
    found = MergedDoubling(doubling, conv)(features, skip if n_skip else None)
    torch.testing.assert_close(found, plain)
    assert plain.std() > 0.01


def test_a_network_without_doublings_gives_the_same(network):
    images = torch.randn(2, 3, 32, 48)
    merged = merge_doublings(fold_norms(copy.deepcopy(network)))
    kinds = {type(module) for module in merged.modules()}
    assert not kinds & {nn.ConvTranspose2d, Branch}
    with torch.inference_mode():
        for found, plain in zip(merged(images), network(images), strict=True):
            if plain is not None:
                torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)
