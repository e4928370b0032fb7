import json
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoModel

from slides.image_models import SIDE_PX, TOKEN_PX, write_image_model
from sthelar_build.adapters import image_features
from sthelar_build.adapters.image_features import ImageEncoder, one_thread_a_call, torch_device
from sthelar_build.errors import ConfigError, InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, SIDE_PX, SIDE_PX, 3), dtype=np.uint8)


@pytest.fixture(scope="module", params=["dinov2", "vit"])
def folder(request, tmp_path_factory):
    return write_image_model(tmp_path_factory.mktemp("model") / request.param, request.param)


@pytest.fixture(scope="module")
def encoder(folder):
    return ImageEncoder(folder, "cpu")


@pytest.fixture(autouse=True)
def one_thread():
    with one_thread_a_call():
        yield


def hidden_by_hand(folder):
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = ((IMAGES / 255 - mean) / std).transpose(0, 3, 1, 2).astype(np.float32)
    with torch.inference_mode():
        found = AutoModel.from_pretrained(folder).eval()(torch.from_numpy(pixels))
    return found.last_hidden_state.numpy()


def test_it_says_what_the_library_says(folder, encoder):
    expected = hidden_by_hand(folder)
    assert (encoder.side_px, encoder.dim, encoder.grid) == (SIDE_PX, 8, SIDE_PX // TOKEN_PX)
    np.testing.assert_allclose(encoder.features(IMAGES), expected[:, 0], atol=1e-5)
    mean = expected[:, 1:].mean(axis=1)
    np.testing.assert_allclose(encoder.features(IMAGES, "mean"), mean, atol=1e-5)


def test_tokens_lie_where_their_blocks_do(folder, encoder):
    tokens, expected = encoder.tokens(IMAGES), hidden_by_hand(folder)
    assert tokens.shape == (5, 8, encoder.grid, encoder.grid)
    second_row_third_column = 1 + encoder.grid + 2
    np.testing.assert_allclose(tokens[:, :, 1, 2], expected[:, second_row_third_column], atol=1e-5)


def test_batches_do_not_change_what_it_says(folder, encoder):
    small = ImageEncoder(folder, "cpu", batch_size=2)
    np.testing.assert_allclose(small.features(IMAGES), encoder.features(IMAGES), atol=1e-5)


def test_bf16_is_near_fp32(folder, encoder):
    rough = ImageEncoder(folder, "cpu", "bf16").features(IMAGES)
    np.testing.assert_allclose(rough, encoder.features(IMAGES), atol=0.1)


def test_torch_has_one_thread_inside_and_as_many_as_before_after():
    before = torch.get_num_threads()
    with one_thread_a_call():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("missing", ["config.json", "preprocessor_config.json"])
def test_a_folder_that_is_not_whole_is_named_with_what_it_lacks(folder, tmp_path, missing):
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / missing).unlink()
    with pytest.raises(InputError, match=f"found no {missing}; download the whole folder"):
        ImageEncoder(tmp_path / "model")


def test_weights_that_are_not_safetensors_are_not_opened(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(InputError, match="expected a model that transformers can open, with safetensors"):  # fmt: skip
        ImageEncoder(tmp_path / "model")


@pytest.mark.parametrize("text", ['{"size": {"height": 24, "width": 32}}', "{}", "not JSON"])
def test_images_that_are_not_square_are_refused(folder, tmp_path, text):
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "preprocessor_config.json").write_text(text)
    with pytest.raises(InputError, match=r"preprocessor_config\.json: expected"):
        ImageEncoder(tmp_path / "model")


@pytest.mark.parametrize("size", [224, {"shortest_edge": 224}, {"height": 224, "width": 224}])
def test_the_side_is_read_in_every_form_that_the_library_writes(tmp_path, size):
    facts = {"size": size, "crop_size": {"height": 99, "width": 99}}
    assert image_features._side_px(json.loads(json.dumps(facts)), tmp_path) == 224
    assert image_features._side_px({**facts, "do_center_crop": True}, tmp_path) == 99


def test_without_the_library_it_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setattr(image_features, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'sthelar_build\[features\]'"):
        ImageEncoder(folder)


def test_what_the_machine_cannot_do_is_refused(folder):
    with pytest.raises(ConfigError, match=r"embed.device: .* found tpu"):
        torch_device("tpu")
    with pytest.raises(ConfigError, match=r"embed\.precision: expected fp32 or bf16 on a cpu"):
        ImageEncoder(folder, "cpu", "fp16")
