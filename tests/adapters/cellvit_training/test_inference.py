import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from sthelar_build.adapters.cellvit.network import Logits
from sthelar_build.adapters.cellvit_training.inference import predictions, runner
from sthelar_build.core.hv_targets import hv_targets
from sthelar_build.errors import ConfigError
from sthelar_build.io.cellvit_export import LabelledPatch

CPU = runner("cpu", "fp32", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Oracle(nn.Module):
    """Reads the truth out of the image: red is the instance, green the type."""

    def forward(self, images):
        image = ((images / 2 + 0.5) * 255).round().long()
        instances, types = image[:, 0], image[:, 1]
        hv = np.stack([hv_targets(one.numpy()) for one in instances])
        one_hot = nn.functional.one_hot(types, 3).movedim(-1, 1).float()
        return Logits(
            binary=torch.stack([(instances == 0), (instances > 0)], 1).float(),
            hv=torch.from_numpy(hv),
            types=one_hot,
            tissue=torch.tensor([[0.0, 1.0]]).expand(len(images), 2),
            regression=None,
            tokens=torch.zeros(1),
        )


def a_patch():
    instances = np.zeros((64, 64), dtype=np.int32)
    instances[5:25, 5:25], instances[30:50, 34:54] = 1, 2
    types = (instances % 2 + (instances > 0)).astype(np.uint8)
    image = np.stack([instances, types, instances], axis=2).astype(np.uint8)
    return LabelledPatch(image, instances, types, 1)


def test_a_network_that_is_right_finds_the_nuclei_their_types_and_the_tissue():
    patch = a_patch()
    (found,) = predictions(Oracle(), [patch], CPU, 40)
    assert_array_equal(found.nucleus, patch.instances > 0)
    # Watershed ids need not be ours: the first nucleus has type 2, the second type 1.
    order = np.argsort(found.nuclei.centroid_px[:, 0])
    assert found.nuclei.type_index[order].tolist() == [2, 1]
    np.testing.assert_allclose(found.nuclei.centroid_px[order], [[14.5, 14.5], [43.5, 39.5]])
    assert (found.tissue, found.magnification) == (1, 40)


def test_predictions_come_in_order_whatever_the_number_of_threads():
    patches = [a_patch()._replace(tissue=number) for number in range(20)]
    found = list(predictions(Oracle(), patches, CPU, 20, threads=2))
    assert [one.patch.tissue for one in found] == list(range(20))


def test_images_become_numbers_around_nought():
    how = runner("cpu", "auto", (0.5, 0.0, 1.0), (0.5, 1.0, 2.0))
    image = torch.tensor([255, 255, 0], dtype=torch.uint8).reshape(1, 3, 1, 1)
    assert how.normalised(image).flatten().tolist() == [1.0, 1.0, -0.5]
    assert how.precision == "fp32"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_of_the_user():
    with pytest.raises(ConfigError, match=r"train\.device: expected a GPU"):
        runner("cuda", "auto", (0.5,) * 3, (0.5,) * 3)


def test_fp16_is_for_gpus():
    with pytest.raises(ConfigError, match=r"train\.precision: expected fp32 or bf16 on a cpu"):
        runner("cpu", "fp16", (0.5,) * 3, (0.5,) * 3)
