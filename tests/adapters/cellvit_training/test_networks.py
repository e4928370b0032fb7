import pytest
import torch

from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit_training.networks import NetworkChoice, new_network
from sthelar_build.adapters.cellvit_training.weights import flat_config, write_checkpoint

TINY = NetworkChoice(embed_dim=16, depth=4, heads=2, decoder_widths=(4, 4, 4, 8, 8, 8, 4))
CLASSES = {"Background": 0, "Round": 1, "Tall": 2}
TISSUES = {"Breast": 0, "Skin": 1}


def test_equal_seeds_give_equal_networks_and_leave_the_generator_alone():
    before = torch.get_rng_state()
    first, second, third = (new_network(TINY, CLASSES, TISSUES, None, s) for s in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    weights = [network.encoder.patch_embed.proj.weight for network in (first, second, third)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_small_network_has_a_head_for_every_class_and_tissue():
    network = new_network(TINY, CLASSES, TISSUES, None, 1)
    logits = network(torch.zeros(2, 3, 32, 32))
    assert network.architecture.arch == "CellViTShared"
    assert logits.types.shape == (2, 3, 32, 32)
    assert logits.tissue.shape == (2, 2)


def test_skips_come_from_four_places_up_to_the_last():
    choice = NetworkChoice(embed_dim=16, depth=10, heads=2, shared_decoder=False)
    architecture = new_network(choice, CLASSES, TISSUES, None, 1).architecture
    assert architecture.skip_blocks == (2, 5, 8, 10)
    assert architecture.arch == "CellViT"


@pytest.mark.parametrize(
    ("name", "arch", "width"),
    [("ViT256", "CellViT256", 384), ("SAM-B", "CellViTSAM", 768), ("SAM-H", "CellViTSAM", 1280)],
)
def test_the_published_shapes_are_to_be_had(name, arch, width):
    with torch.device("meta"):
        architecture = new_network(NetworkChoice(name), CLASSES, TISSUES, None, 1).architecture
    assert (architecture.arch, architecture.embed_dim) == (arch, width)
    assert (architecture.n_nuclei, architecture.n_tissues) == (3, 2)


def test_auto_takes_the_shape_of_the_checkpoint_to_start_from(tmp_path):
    network = new_network(TINY, CLASSES, TISSUES, None, 1)
    config = flat_config(
        network.architecture, {"dataset_config": {"nuclei_types": CLASSES, "tissue_types": TISSUES}}
    )
    write_checkpoint(tmp_path / "a.pth", network, config, 1)
    start = open_checkpoint(tmp_path / "a.pth")
    again = new_network(NetworkChoice(), CLASSES, TISSUES, start, 2)
    assert again.architecture == network.architecture
    assert torch.equal(
        again.encoder.patch_embed.proj.weight, network.encoder.patch_embed.proj.weight
    )
