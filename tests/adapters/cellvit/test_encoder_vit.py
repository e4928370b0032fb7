import pytest
import torch
from torch import nn

from sthelar_build.adapters.cellvit.architecture import Architecture
from sthelar_build.adapters.cellvit.encoder_vit import ViTEncoder


def _still(encoder: ViTEncoder) -> ViTEncoder:
    """Make every block give what it gets."""
    for block in encoder.blocks:
        for layer in (block.attn.proj, block.mlp.fc2):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    return encoder.eval()


@pytest.fixture
def encoder():
    return _still(ViTEncoder(Architecture("CellViT", 4, 4, 2, (1, 2, 3, 4), n_tissues=3)))


def test_tokens_keep_their_places_row_by_row_and_the_class_token_is_no_pixel(encoder):
    nn.init.zeros_(encoder.pos_embed)
    nn.init.constant_(encoder.patch_embed.proj.weight, 1 / (3 * 16 * 16))
    nn.init.zeros_(encoder.patch_embed.proj.bias)
    nn.init.constant_(encoder.cls_token, 9.0)
    means = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
    image = means.repeat_interleave(16, 0).repeat_interleave(16, 1).expand(1, 3, -1, -1)
    found = encoder(image)
    assert [skip.shape for skip in found.skips] == [(1, 4, 2, 3)] * 4
    torch.testing.assert_close(found.skips[3][0, 0], means, rtol=1e-4, atol=0)


def test_the_tissue_is_read_from_the_class_token_and_only_when_wanted(encoder):
    image = torch.zeros(2, 3, 16, 16)
    with torch.inference_mode():
        assert encoder(image).tissue.shape == (2, 3)
        assert encoder(image, tissue=False).tissue is None


def _cubic(distance):
    """Return the weight of a sample at a distance, for bicubic interpolation with -0.75."""
    d = abs(distance)
    if d <= 1:
        return 1.25 * d**3 - 2.25 * d**2 + 1
    return -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)


@pytest.mark.parametrize("side", [16, 12])
def test_a_resized_table_is_sampled_with_the_published_factor(encoder, side):
    ramp = torch.arange(14.0)[:, None].expand(14, 14)
    encoder.pos_embed.data[0, 1:] = ramp.reshape(-1, 1)
    table = encoder._positions(side, 14)[0, 1:].reshape(side, 14, 4)
    middle = side // 2
    place = (middle + 0.5) * 14 / (side + 0.1) - 0.5
    wanted = sum(row * _cubic(row - place) for row in range(int(place) - 1, int(place) + 3))
    assert table[middle, 7, 0].item() == pytest.approx(wanted, abs=1e-4)


def test_the_table_is_used_as_it_is_at_the_size_it_was_learnt_at(encoder):
    assert encoder._positions(14, 14) is encoder.pos_embed
