"""The dataset for PyTorch: the patches are those on disk, workers give the same, and a network learns from it."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from sthelar_build.errors import InputError
from sthelar_build.torch_dataset import PatchDataset


@pytest.fixture(scope="module")
def folder(exported_dataset):
    return exported_dataset[1]


def mirrored(image, instances, types):
    """Return a patch left to right."""
    return image[:, ::-1], instances[:, ::-1], types[:, ::-1]


@pytest.mark.parametrize("name", ["cellvit", "pannuke", "huggingface"])
def test_patches_are_what_numpy_reads_from_the_npz(folder, name):
    dataset = PatchDataset(folder, format=name)
    numbers = json.loads((folder / "pannuke/classes.json").read_text())
    assert dataset.class_ids == {"Background": 0, **numbers}
    at = {(s, p): i for i, (s, p) in enumerate(zip(dataset.patches["slide"], dataset.patches["patch_id"], strict=True))}  # fmt: skip
    n = 0
    for slide in ("skin_s1", "breast_s0"):
        with np.load(folder / f"pannuke/{slide}.npz") as arrays:
            rows = [arrays[key] for key in ("images", "masks", "types", "patch_ids")]
        for image, mask, tissue, patch in zip(*rows, strict=True):
            sample = dataset[at[slide, int(patch.rsplit("_", 1)[1])]]
            n += 1
            assert (sample["slide"], dataset.tissue_names[sample["tissue"]]) == (slide, tissue)
            np.testing.assert_array_equal(sample["image"].permute(1, 2, 0), image)
            np.testing.assert_array_equal(
                sample["type_map"], (mask * np.arange(1, 11) > 0) @ np.r_[1:10, 0]
            )
            np.testing.assert_array_equal(sample["instance_map"] == 0, mask[..., -1] == 1)
            np.testing.assert_array_equal(sample["cell_counts"], mask[..., :-1].max(axis=(0, 1)))
    assert n == len(dataset) > 40


def test_a_split_is_that_of_the_table_and_val_is_valid(folder):
    splits = pd.read_parquet(folder / "splits.parquet")
    for name in ("train", "valid", "test"):
        chosen = PatchDataset(folder, name).patches
        expected = splits[splits["split"] == name][["slide", "patch_id"]]
        found = set(chosen[["slide", "patch_id"]].itertuples(index=False, name=None))
        assert found
        assert found <= set(expected.itertuples(index=False, name=None))
    assert PatchDataset(folder, "val").patches.equals(PatchDataset(folder, "valid").patches)


def test_a_fold_of_ones_own_is_some_of_the_slides(folder):
    kept = PatchDataset(folder, slides=["skin_s1"])
    assert set(kept.patches["slide"]) == {"skin_s1"}
    assert kept.tissue_names == ["Breast", "Skin"]
    other = PatchDataset(folder, slides=["breast_s0"])
    assert len(kept) + len(other) == len(PatchDataset(folder))


def test_tensors_are_what_a_loss_takes(folder):
    sample, light = PatchDataset(folder)[0], PatchDataset(folder, as_float=True)[0]
    assert (sample["image"].dtype, tuple(sample["image"].shape)) == (torch.uint8, (3, 32, 32))
    assert (sample["instance_map"].dtype, sample["type_map"].dtype) == (torch.int32, torch.int64)
    torch.testing.assert_close(light["image"], sample["image"] / 255)


def test_image_and_maps_are_changed_together_and_counts_stay(folder):
    plain, changed = PatchDataset(folder)[5], PatchDataset(folder, transform=mirrored)[5]
    for key in ("image", "instance_map", "type_map"):
        assert torch.equal(changed[key], plain[key].flip(-1))
        assert not torch.equal(changed[key], plain[key])
    assert torch.equal(changed["cell_counts"], plain["cell_counts"])


@pytest.mark.parametrize("name", ["cellvit", "pannuke", "huggingface"])
def test_a_copy_that_was_pickled_after_it_was_read_from_gives_the_same(folder, name):
    dataset = PatchDataset(folder, "train", format=name, transform=mirrored)
    first = dataset[0]
    copy = pickle.loads(pickle.dumps(dataset))
    assert all(torch.equal(first[key], copy[0][key]) for key in ("image", "type_map"))
    assert len(pickle.dumps(dataset)) < 50_000


@pytest.mark.slow
def test_workers_give_the_same_batches_in_the_same_order(folder):
    dataset = PatchDataset(folder, "train", format="pannuke")
    alone = list(DataLoader(dataset, batch_size=5))
    spawned = DataLoader(dataset, batch_size=5, num_workers=2, multiprocessing_context="spawn")
    for mine, theirs in zip(alone, spawned, strict=True):
        assert mine["slide"] == theirs["slide"]
        for key in ("image", "instance_map", "type_map", "cell_counts", "tissue", "patch_id"):
            assert torch.equal(mine[key], theirs[key])
    names = [name for batch in alone for name in batch["slide"]]
    assert names == dataset.patches["slide"].tolist() == sorted(names)


def test_a_small_network_learns_from_it(folder):
    """The colour of a nucleus says its class here, so that the loss must fall far."""
    dataset = PatchDataset(folder, "train", as_float=True, transform=painted)
    torch.manual_seed(0)
    n_classes = len(dataset.class_names)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 1), torch.nn.ReLU(), torch.nn.Conv2d(16, n_classes, 1)
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=0.03)
    order = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(6):
        total = 0.0
        for batch in DataLoader(dataset, batch_size=4, shuffle=True, generator=order):
            loss = torch.nn.functional.cross_entropy(network(batch["image"]), batch["type_map"])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach())
        losses.append(total)
    assert losses[-1] < losses[0] / 4


def painted(image, instances, types):
    """Colour every pixel by its class, with a little of the true image."""
    colours = np.random.default_rng(0).integers(0, 256, (10, 3))
    return (0.9 * colours[types] + 0.1 * image).astype(np.uint8), instances, types


def test_what_is_not_there_is_told(folder, tmp_path):
    with pytest.raises(InputError, match="expected one of train, valid, test, found 'training'"):
        PatchDataset(folder, "training")
    with pytest.raises(InputError, match="expected some of breast_s0, skin_s1, found lung"):
        PatchDataset(folder, slides=["lung"])
    (tmp_path / "pannuke").symlink_to(folder / "pannuke")
    with pytest.raises(InputError, match="found none among"):
        PatchDataset(tmp_path, "train")


def test_the_command_line_does_not_import_torch_for_it():
    code = "import sys, sthelar_build.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
