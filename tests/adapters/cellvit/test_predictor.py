import numpy as np
import pytest
import torch

from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.network import BINARY, build_network
from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.errors import InputError


def _images(n, rows, columns):
    return np.random.default_rng(0).integers(0, 256, (n, rows, columns, 3), dtype=np.uint8)


def test_maps_are_those_of_the_network_on_normalised_images(save, architecture):
    config = {"transformations.normalize.mean": [0.4, 0.5, 0.6]}
    first = open_checkpoint(save(architecture))
    checkpoint = open_checkpoint(save(architecture, config={**first.config, **config}))
    images = _images(2, 32, 48)
    normalised = (images / 255 - np.array([0.4, 0.5, 0.6])) / 0.5
    with torch.inference_mode():
        plain = build_network(checkpoint)(
            torch.from_numpy(normalised.astype(np.float32)).permute(0, 3, 1, 2)
        )
    found = Predictor(checkpoint, "cpu", want_tokens=True)(images)
    np.testing.assert_array_equal(found.nucleus, plain.binary.argmax(1).numpy())
    np.testing.assert_array_equal(found.types, plain.types.argmax(1).numpy())
    np.testing.assert_allclose(found.hv, plain.hv.numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.tissue, plain.tissue.numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.tokens, plain.tokens.numpy(), rtol=1e-4, atol=1e-4)
    assert [str(array.dtype) for array in found] == [
        "uint8",
        "float32",
        "uint8",
        "float32",
        "float32",
    ]


def test_sides_that_are_no_multiples_of_16_are_reflected_and_cut_back(save):
    predictor = Predictor(open_checkpoint(save()), "cpu", want_tokens=True)
    images = _images(1, 20, 39)
    whole = predictor(np.pad(images, ((0, 0), (0, 12), (0, 9), (0, 0)), mode="reflect"))
    found = predictor(images)
    np.testing.assert_array_equal(found.nucleus, whole.nucleus[:, :20, :39])
    np.testing.assert_array_equal(found.hv, whole.hv[..., :20, :39])
    assert found.tokens.shape == (1, 16, 2, 3)


def test_many_images_are_cut_into_batches_with_the_same_result(save):
    checkpoint, images = open_checkpoint(save()), _images(5, 32, 32)
    one_by_one = [Predictor(checkpoint, "cpu", batch_size=2)(images[i : i + 2]) for i in (0, 2, 4)]
    together = Predictor(checkpoint, "cpu", batch_size=2)(images)
    np.testing.assert_array_equal(np.concatenate([m.hv for m in one_by_one]), together.hv)
    assert len(together.tissue) == 5


def test_a_run_repeats_to_the_bit_and_other_threads_change_no_more_than_the_last(
    save, architecture
):
    predictor, images = Predictor(open_checkpoint(save(architecture)), "cpu"), _images(2, 64, 64)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone, again = predictor(images), predictor(images)
        torch.set_num_threads(2)
        together = predictor(images)
    finally:
        torch.set_num_threads(threads)
    for one, other, third in zip(alone, again, together, strict=True):
        np.testing.assert_array_equal(one, other)
        if one is not None:
            np.testing.assert_allclose(one, third, rtol=1e-5, atol=1e-6)


def test_a_tie_is_background_and_the_lower_type(save):
    weights = torch.load(save())["model_state_dict"]
    zeros = {k: torch.zeros_like(v) if "decoder0_header.2" in k else v for k, v in weights.items()}
    found = Predictor(open_checkpoint(save(model_state_dict=zeros)), "cpu")(_images(1, 16, 16))
    assert not found.nucleus.any()
    assert not found.types.any()


def test_what_is_not_wanted_is_none(save):
    predictor = Predictor(
        open_checkpoint(save()), "cpu", want_types=False, want_tissue=False, want_tokens=False
    )
    found = predictor(_images(1, 16, 16))
    assert (found.types, found.tissue, found.tokens) == (None, None, None)


def test_outputs_that_are_not_finite_are_refused(save):
    weights = torch.load(save())["model_state_dict"]
    weights["hv_map_decoder.decoder0_header.2.bias"][0] = np.inf
    predictor = Predictor(open_checkpoint(save(model_state_dict=weights)), "cpu")
    with pytest.raises(InputError, match=r"small\.pth: its output at fp32 is not finite; set segm"):
        predictor(_images(1, 16, 16))


def test_a_batch_on_a_cpu_is_small_and_shrinks_with_the_side(save):
    checkpoint = open_checkpoint(save())
    assert Predictor(checkpoint, "cpu", side_px=250).batch_size == 4
    assert Predictor(checkpoint, "cpu", side_px=1024).batch_size == 1


def test_a_batch_halves_until_it_fits_and_an_image_that_does_not_is_an_error(save, monkeypatch):
    predictor = Predictor(open_checkpoint(save()), "cpu", batch_size=8)
    images, run, fitting = _images(5, 16, 16), predictor.logits, 2

    def logits(batch):
        if len(batch) > fitting:
            raise torch.cuda.OutOfMemoryError
        return run(batch)

    monkeypatch.setattr(predictor, "logits", logits)
    assert len(predictor(images).nucleus) == 5
    assert predictor.batch_size == 2
    fitting = 0
    with pytest.raises(torch.cuda.OutOfMemoryError):
        predictor(images)


@pytest.mark.parametrize("merged", [True, False])
def test_merging_is_a_choice(save, merged):
    predictor = Predictor(open_checkpoint(save()), "cpu", merged=merged)
    names = [name for name, _ in predictor.network.get_submodule(BINARY).named_children()]
    assert ("joins" in names) == merged
