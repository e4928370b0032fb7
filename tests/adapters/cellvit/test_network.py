import dataclasses
import json
import re

import numpy as np
import pytest
import torch

from sthelar_build.adapters.cellvit.architecture import (
    SAM_ENCODERS,
    VIT_256,
    Architecture,
)
from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.network import BINARY, HV, TYPES, CellViT, build_network
from sthelar_build.errors import InputError

TINY = Architecture("CellViT", 64, 4, 4, (1, 2, 3, 4))
TINY_SAM = Architecture("CellViTSAM", 64, 4, 4, (1, 2, 3, 4), global_blocks=(1, 3))
TABLES = {
    "tiny_ed64_d4": TINY,
    "tiny_sam_ed64_d4": TINY_SAM,
    "cellvit256": Architecture("CellViT256", *VIT_256[:4]),
    "cellvit256_shared": Architecture("CellViT256Shared", *VIT_256[:4]),
} | {
    f"cellvit_sam{size.lower()}": Architecture(
        "CellViTSAM", *encoder[:4], global_blocks=encoder.global_blocks
    )
    for size, encoder in zip("BLH", SAM_ENCODERS.values(), strict=True)
}
OUTPUTS = {
    "binary": "nuclei_binary_map",
    "hv": "hv_map",
    "types": "nuclei_type_map",
    "tissue": "tissue_types",
    "tokens": "tokens",
}


@pytest.mark.parametrize("table", TABLES)
def test_names_and_shapes_of_the_parameters_are_the_published_ones(oracle, table):
    with torch.device("meta"):
        network = CellViT(TABLES[table])
    found = {name: list(value.shape) for name, value in network.state_dict().items()}
    assert found == json.loads((oracle / f"keys_{table}.json").read_text())


@pytest.fixture(scope="module")
def tiny(drawn):
    """The oracle's two networks, with its weights."""
    networks = {"tiny_vit": CellViT(TINY).eval(), "tiny_sam": CellViT(TINY_SAM).eval()}
    for network in networks.values():
        weights = {n: drawn.tensor_for(n, v.shape) for n, v in network.state_dict().items()}
        network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return networks


@pytest.mark.parametrize(
    ("model", "rows", "columns"),
    [
        ("tiny_vit", 64, 64),
        ("tiny_vit", 128, 192),
        ("tiny_vit", 224, 224),
        ("tiny_vit", 256, 256),
        ("tiny_sam", 64, 64),
        ("tiny_sam", 256, 256),
        pytest.param("tiny_sam", 512, 512, marks=pytest.mark.slow),
    ],
)
def test_outputs_are_the_published_ones(oracle, drawn, tiny, model, rows, columns):
    with torch.inference_mode():
        found = tiny[model](torch.from_numpy(drawn.image(rows, columns)))
    with np.load(oracle / "forward_reference.npz") as reference:
        for ours, theirs in OUTPUTS.items():
            wanted = reference[f"{model}/{rows}x{columns}/{theirs}"]
            array = getattr(found, ours).numpy()
            if array.ndim == 4:
                step = array.shape[-1] // wanted.shape[-1]
                array = array[..., ::step, ::step]
            np.testing.assert_allclose(array, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("architecture", ["CellViT", "CellViTSAM"], indirect=True)
def test_skips_decoded_once_give_bit_for_bit_what_skips_decoded_for_each_branch_do(network):
    images = torch.randn(2, 3, 32, 48)
    with torch.inference_mode():
        found = network(images)
        encoded = network.encoder(images).skips
        for name, map_ in ((BINARY, found.binary), (HV, found.hv), (TYPES, found.types)):
            sources = [images, *encoded[:3]]
            skips = [d(s) for d, s in zip(network.skip_decoders(), sources, strict=True)]
            assert torch.equal(network.get_submodule(name)(skips, encoded[3]), map_)


def test_skips_and_a_shared_decoder_run_once_for_all_maps(network):
    runs = []
    counted = network.skip_decoders()
    if network.architecture.shared:
        counted = [*counted, network.decoder]
    for module in counted:
        module.register_forward_hook(lambda *_: runs.append(1))
    network(torch.randn(1, 3, 16, 16))
    assert len(runs) == len(counted)


@pytest.mark.parametrize("architecture", ["CellViTShared", "CellViTSAMShared"], indirect=True)
def test_a_shared_network_is_three_equal_decoders_with_heads_of_their_own(network):
    shape = network.architecture
    apart = CellViT(dataclasses.replace(shape, arch=shape.arch.removesuffix("Shared"))).eval()
    weights = {}
    for name, value in network.state_dict().items():
        skip = re.sub(r"decoder\.(decoder\d)_skip\.", r"\1.", name)
        if skip == name and name.startswith("decoder."):
            for branch in (BINARY, HV, TYPES):
                weights[f"{branch}.{name.removeprefix('decoder.')}"] = value
        else:
            weights[re.sub(r"(_decoder)\.(weight|bias)$", r"\1.decoder0_header.2.\2", skip)] = value
    apart.load_state_dict(weights)
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(apart(images).types, network(images).types)


def test_what_is_not_wanted_is_not_given(network):
    found = network(torch.randn(1, 3, 16, 16), types=False, tissue=False)
    assert found.types is None
    assert found.tissue is None
    assert found.binary.shape == (1, 2, 16, 16)
    assert found.tokens.shape == (1, 16, 1, 1)


def test_a_regression_map_is_the_last_two_channels_of_the_binary_head(save):
    shape = dataclasses.replace(TINY, embed_dim=16, heads=2, regression=True)
    network = CellViT(dataclasses.replace(shape, widths=shape.decoder_widths.divided(16))).eval()
    head = network.get_submodule(BINARY).decoder0_header[2]
    torch.nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([1.0, 2, 3, 4])
    found = network(torch.randn(1, 3, 16, 16))
    assert found.binary[0, :, 0, 0].tolist() == [1, 2]
    assert found.regression[0, :, 0, 0].tolist() == [3, 4]


def test_a_checkpoint_is_loaded_as_it_is_and_held_still(save, architecture):
    checkpoint = open_checkpoint(save(architecture))
    network = build_network(checkpoint)
    assert not network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, checkpoint.state_dict[name])
        assert not value.requires_grad


HEAD = "hv_map_decoder.decoder0_header.2.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({HEAD: None}, rf"CellViT expects {HEAD} \[2, 4, 1, 1\], which the file lacks$"),
        (
            {HEAD: torch.zeros(3, 4, 1, 1)},
            rf"CellViT expects {HEAD} \[2, 4, 1, 1\], found \[3, 4, 1, 1\]$",
        ),
        (
            {"extra.bias": torch.zeros(7)},
            r"CellViT has no parameter extra.bias \[7\], which the file holds$",
        ),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused_with_the_first_parameter(save, change, message):
    weights = torch.load(save())["model_state_dict"] | change
    kept = {name: value for name, value in weights.items() if value is not None}
    checkpoint = open_checkpoint(save(model_state_dict=kept))
    with pytest.raises(InputError, match=rf"small\.pth: {message}"):
        build_network(checkpoint)
