import numpy as np
import pytest
import torch
import yaml
from numpy.testing import assert_array_equal

from slides.cellvit_export import CLASSES, TISSUES, patch, write_export
from sthelar_build.adapters.cellvit_training.augmentation import Augmentation
from sthelar_build.adapters.cellvit_training.dataset import (
    SplitPatches,
    TrainingViews,
    as_tensors,
    batches_of_views,
    open_exports,
)
from sthelar_build.adapters.cellvit_training.sampler import epoch_batches
from sthelar_build.core.hv_targets import hv_targets
from sthelar_build.errors import InputError
from sthelar_build.io.cellvit_export import LabelledPatch


@pytest.fixture
def folder(tmp_path):
    return write_export(tmp_path / "cellvit")


def test_a_split_is_a_sequence_of_patches(folder):
    patches = SplitPatches(open_exports([folder]), "valid")
    assert [one.tissue for one in patches] == [0, 1]
    assert_array_equal(patches[1].instances, patch(9)[1])


def test_several_datasets_are_one_after_the_other(folder, tmp_path):
    other = write_export(tmp_path / "other", n_train=2)
    patches = SplitPatches(open_exports([folder, other]), "train")
    assert len(patches) == 8 + 2
    assert_array_equal(patches[8].image, patch(0)[0])


def test_datasets_of_other_classes_are_refused(folder, tmp_path):
    other = write_export(tmp_path / "other")
    swapped = {"Background": 0, "Tall": 1, "Round": 2}
    config = {"tissue_types": TISSUES, "nuclei_types": swapped}
    (other / "dataset_config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(InputError, match="expected the nuclei_types of") as error:
        open_exports([folder, other])
    assert str(CLASSES) in str(error.value)


def test_targets_are_what_the_maps_say():
    image, instances, types = patch(4)
    pixels, targets = as_tensors(LabelledPatch(image, instances, types.astype(np.uint8), 1))
    assert_array_equal(pixels.numpy(), image.transpose(2, 0, 1))
    assert_array_equal(targets.nucleus.numpy(), instances > 0)
    assert_array_equal(targets.types.numpy(), types)
    assert_array_equal(targets.hv.numpy(), hv_targets(instances))
    assert targets.tissue.item() == 1
    assert targets.types.dtype == torch.int64


def test_a_batch_has_its_targets_and_is_the_same_again(folder):
    views = TrainingViews(SplitPatches(open_exports([folder]), "train"), Augmentation())
    plan = epoch_batches(np.ones(8), 8, 4, 64, 0.5, seed=1, epoch=0)
    first, again = (list(batches_of_views(views, plan, workers=0)) for _ in range(2))
    for (images, targets), draws in zip(first, plan, strict=True):
        side = draws[0].side_px
        assert images.shape == (4, 3, side, side)
        assert targets.hv.shape == (4, 2, side, side)
        assert targets.tissue.shape == (4,)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))


@pytest.mark.slow
def test_workers_make_the_same_batches(folder):
    views = TrainingViews(SplitPatches(open_exports([folder]), "train"), Augmentation())
    plan = epoch_batches(np.ones(8), 8, 4, 64, 0.5, seed=1, epoch=0)
    alone = list(batches_of_views(views, plan, workers=0))
    shared = list(batches_of_views(views, plan, workers=1))
    for (images, targets), (images2, targets2) in zip(alone, shared, strict=True):
        assert torch.equal(images, images2)
        assert torch.equal(targets.hv, targets2.hv)
