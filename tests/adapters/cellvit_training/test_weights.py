import logging

import pytest
import torch

from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.network import build_network
from sthelar_build.adapters.cellvit_training.networks import NetworkChoice, new_network
from sthelar_build.adapters.cellvit_training.weights import (
    flat_config,
    take_over,
    write_checkpoint,
)

CLASSES = {"Background": 0, "Round": 1, "Tall": 2}
TISSUES = {"Breast": 0, "Skin": 1}
FACTS = {
    "data": {"magnification": 20},
    "transformations": {"normalize": {"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]}},
    "dataset_config": {"nuclei_types": CLASSES, "tissue_types": TISSUES},
}


def tiny(shared=True, widths=(4, 4, 4, 8, 8, 8, 4), classes=CLASSES, tissues=TISSUES, seed=1):
    choice = NetworkChoice("small", 16, 4, 2, widths, shared)
    return new_network(choice, classes, tissues, None, seed)


def written(path, network, **how):
    write_checkpoint(path, network, flat_config(network.architecture, FACTS), 7, **how)
    return open_checkpoint(path)


@pytest.mark.parametrize("shared", [True, False])
def test_what_is_written_opens_strictly_and_computes_the_same(tmp_path, shared):
    network = tiny(shared).eval()
    found = written(tmp_path / "checkpoint.pth", network)
    images = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        expected, again = network(images), build_network(found)(images)
    assert torch.equal(expected.binary, again.binary)
    assert torch.equal(expected.types, again.types)
    assert found.architecture == network.architecture
    assert (found.nuclei_types, found.tissue_types) == (CLASSES, TISSUES)
    assert (found.magnification, found.mean) == (20, (0.1, 0.2, 0.3))


def test_the_file_has_the_public_keys_and_a_flat_config(tmp_path):
    written(tmp_path / "checkpoint.pth", tiny())
    content = torch.load(tmp_path / "checkpoint.pth", weights_only=True)
    assert set(content) == {"arch", "config", "epoch", "model_state_dict"}
    assert content["epoch"] == 7
    assert content["config"]["dataset_config.nuclei_types.Tall"] == 2
    assert content["config"]["model.decoder_widths"] == [4, 4, 4, 8, 8, 8, 4]
    assert not any(isinstance(value, dict) for value in content["config"].values())


def test_half_the_bits_make_half_the_file_and_nearly_the_same_weights(tmp_path):
    network = tiny()
    whole = written(tmp_path / "whole.pth", network).state_dict
    half = written(tmp_path / "half.pth", network, half=True).state_dict
    assert (tmp_path / "half.pth").stat().st_size < 0.75 * (tmp_path / "whole.pth").stat().st_size
    for name, value in whole.items():
        torch.testing.assert_close(half[name], value, rtol=1e-3, atol=1e-6)


def test_equal_networks_make_equal_files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        written(tmp_path / name / "checkpoint.pth", tiny())
    first, second = ((tmp_path / name / "checkpoint.pth").read_bytes() for name in ("a", "b"))
    assert first == second


def test_a_network_of_the_same_classes_takes_everything_over(tmp_path):
    start, network = written(tmp_path / "a.pth", tiny(seed=1)), tiny(seed=2)
    assert take_over(network, start, CLASSES, TISSUES) == []
    for name, value in network.state_dict().items():
        assert torch.equal(value, start.state_dict[name])


@pytest.mark.parametrize(
    ("shared", "head"),
    [(True, "nuclei_type_maps_decoder."), (False, "nuclei_type_maps_decoder.decoder0_header.2.")],
)
def test_other_classes_under_the_same_numbers_get_a_new_head(tmp_path, shared, head):
    start = written(tmp_path / "a.pth", tiny(shared, seed=1))
    other = {"Background": 0, "Tall": 1, "Round": 2}
    network = tiny(shared, seed=2)
    assert take_over(network, start, other, TISSUES) == [f"{head}weight", f"{head}bias"]


def test_other_tissues_get_a_new_head_too_and_the_log_says_so(tmp_path, caplog):
    start = written(tmp_path / "a.pth", tiny(seed=1))
    three = {"Breast": 0, "Skin": 1, "Lung": 2}
    network = tiny(tissues=three, seed=2)
    with caplog.at_level(logging.INFO):
        fresh = take_over(network, start, CLASSES, three)
    assert fresh == ["encoder.head.weight", "encoder.head.bias"]
    n = len(network.state_dict())
    assert f"took {n - 2} of {n} parameter tensors, left 2 of the file" in caplog.text
    assert "new: encoder.head" in caplog.text


def test_decoders_of_another_width_stay_new_and_the_encoder_is_taken(tmp_path):
    start = written(tmp_path / "a.pth", tiny(seed=1))
    network = tiny(widths=(4, 6, 6, 8, 8, 8, 4), seed=2)
    fresh = take_over(network, start, CLASSES, TISSUES)
    assert fresh
    assert not any(name.startswith("encoder.") for name in fresh)
