import pytest
import torch
from torch import nn

from sthelar_build.adapters.cellvit.architecture import Architecture
from sthelar_build.adapters.cellvit.encoder_sam import (
    SAMEncoder,
    _attention_with_bias,
    _distances,
)
from sthelar_build.errors import InputError


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    shape = Architecture("CellViTSAM", 8, 4, 2, (1, 2, 3, 4), n_tissues=3, global_blocks=(1, 3))
    return SAMEncoder(shape).eval()


def test_windows_cover_every_token_once_and_are_put_back_in_place(encoder):
    block = encoder.blocks[0]
    block.attn = nn.Identity()
    tokens = torch.arange(2 * 15 * 29 * 8.0).reshape(2, 15, 29, 8)
    assert torch.equal(block._in_windows(tokens), tokens)


def test_a_token_sees_its_own_window_in_windowed_blocks_and_all_in_global_ones(encoder):
    tokens = torch.randn(1, 14, 28, 8)
    changed = tokens.clone()
    changed[0, 0, 0] = torch.randn(8)
    with torch.inference_mode():
        moved = [
            (encoder.blocks[number](changed) - encoder.blocks[number](tokens))[0, 5].abs().sum(1)
            > 0
            for number in (0, 1)
        ]
    assert moved[0].tolist() == [True] * 14 + [False] * 14
    assert moved[1].all()


def test_the_fill_of_a_window_takes_part(encoder):
    attention = encoder.blocks[0].attn
    nn.init.zeros_(attention.qkv.weight)
    nn.init.zeros_(attention.qkv.bias)
    attention.qkv.weight.data[16:] = torch.eye(8)
    nn.init.zeros_(attention.proj.bias)
    attention.proj.weight.data = torch.eye(8)
    mixed = encoder.blocks[0]._in_windows(torch.ones(1, 7, 14, 8))
    torch.testing.assert_close(mixed, torch.full((1, 7, 14, 8), 0.5))


def test_distances_are_looked_up_from_the_last_key_to_the_first():
    table = torch.arange(5.0)[:, None]
    assert _distances(table, 3, table)[..., 0].tolist() == [[2, 1, 0], [3, 2, 1], [4, 3, 2]]


def test_a_table_of_another_side_is_stretched_rather_than_cropped():
    table = torch.arange(127.0)[:, None]
    stretched = [(place + 0.5) * 127 / 3 - 0.5 for place in range(3)]
    found = _distances(table, 2, table)[..., 0]
    torch.testing.assert_close(
        found, torch.tensor([[stretched[1], stretched[0]], [stretched[2], stretched[1]]])
    )


def test_terms_of_rows_and_columns_are_added_to_the_logits():
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, 3, 4, 5) for _ in range(3))
    by_row, by_column = torch.randn(1, 2, 3, 4, 3), torch.randn(1, 2, 3, 4, 4)
    logits = torch.einsum("bnrcd,bnijd->bnrcij", query, key) * 5**-0.5
    logits += by_row[..., :, None] + by_column[..., None, :]
    shares = logits.flatten(4).softmax(-1).unflatten(4, (3, 4))
    plain = torch.einsum("bnrcij,bnijd->bnrcd", shares, value)
    found = _attention_with_bias(query, key, value, by_row, by_column)
    torch.testing.assert_close(found, plain.flatten(2, 3))


def test_the_neck_gives_the_tissue_head_256_features_and_only_when_wanted(encoder):
    image = torch.zeros(2, 3, 32, 48)
    with torch.inference_mode():
        assert encoder(image).tissue.shape == (2, 256)
        assert encoder(image, tissue=False).tissue is None
        assert [skip.shape for skip in encoder(image).skips] == [(2, 8, 2, 3)] * 4


def test_an_image_beyond_the_position_table_is_refused(encoder):
    with pytest.raises(InputError, match="at most 1024 px a side, found 1040 x 16"):
        encoder(torch.zeros(1, 3, 1040, 16))
