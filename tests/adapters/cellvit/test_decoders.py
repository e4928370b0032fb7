import pytest
import torch

from sthelar_build.adapters.cellvit.architecture import Widths
from sthelar_build.adapters.cellvit.decoders import Branch, ConvBlock, UpBlock, skip_decoders

WIDTHS = Widths(stem=2, full=3, half=4, quarter=5, eighth=6, skip_eighth=7, skip_quarter=8)


def test_skips_reach_the_resolutions_and_widths_that_the_branches_join_them_at():
    image, encoded = torch.zeros(1, 3, 32, 48), torch.zeros(1, 10, 2, 3)
    shapes = [
        tuple(skip(source).shape)
        for skip, source in zip(skip_decoders(10, WIDTHS), [image] + 3 * [encoded], strict=True)
    ]
    assert shapes == [(1, 3, 32, 48), (1, 4, 16, 24), (1, 5, 8, 12), (1, 6, 4, 6)]


@pytest.mark.parametrize(("n_out", "channels"), [(2, 2), (None, 3)])
def test_a_branch_climbs_to_full_resolution_with_or_without_a_head(n_out, channels):
    skips = [
        torch.zeros(1, c, 32 // f, 48 // f) for c, f in zip((3, 4, 5, 6), (1, 2, 4, 8), strict=True)
    ]
    branch = Branch(10, WIDTHS, n_out)
    assert branch(skips, torch.zeros(1, 10, 2, 3)).shape == (1, channels, 32, 48)


def test_a_skip_comes_before_what_comes_from_below():
    branch = Branch(10, WIDTHS, 1).eval()
    seen = []
    branch.decoder3_upsampler[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    skips = [
        torch.ones(1, c, 16 // f, 16 // f) for c, f in zip((3, 4, 5, 6), (1, 2, 4, 8), strict=True)
    ]
    torch.nn.init.zeros_(branch.bottleneck_upsampler.bias)
    branch(skips, torch.zeros(1, 10, 1, 1))
    assert seen[0][0, :, 0, 0].tolist() == 6 * [1] + 6 * [0]


def test_blocks_end_in_a_rectifier():
    torch.manual_seed(0)
    for block in (ConvBlock(2, 3), UpBlock(2, 3)):
        assert block(torch.randn(2, 2, 8, 8)).min() == 0
