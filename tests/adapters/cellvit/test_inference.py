import copy

import torch
from torch import nn

from sthelar_build.adapters.cellvit.inference import (
    fold_norms,
    ready_for_inference,
    reduce_precision,
)


def test_folding_leaves_no_batch_norm_and_the_same_outputs(network):
    images = torch.randn(2, 3, 32, 48)
    folded = fold_norms(copy.deepcopy(network))
    assert not [module for module in folded.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.inference_mode():
        for found, plain in zip(folded(images), network(images), strict=True):
            if plain is not None:
                torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)


def test_a_lower_precision_is_that_of_the_products_alone(network):
    reduced = reduce_precision(network, torch.bfloat16)
    heads = set(reduced.heads())
    for module in reduced.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            assert module.weight.dtype == (torch.float32 if module in heads else torch.bfloat16)
        elif isinstance(module, nn.LayerNorm):
            assert module.weight.dtype == torch.float32
    assert reduced.encoder.pos_embed.dtype == torch.float32


def test_a_network_at_a_lower_precision_gives_float32_maps_close_to_those_at_full(network):
    images = torch.randn(2, 3, 32, 48)
    with torch.inference_mode():
        plain = network(images)
    ready = ready_for_inference(network, torch.device("cpu"), torch.bfloat16, merged=True)
    with torch.inference_mode():
        found = ready(images)
    for name in ("binary", "hv", "types", "tissue"):
        one, other = getattr(found, name), getattr(plain, name)
        assert one.dtype == torch.float32
        assert (one - other).abs().max() < 0.05 * other.abs().max()
