import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sthelar_build.adapters.cellvit_training.sampler import epoch_batches, sampling_weights
from sthelar_build.io.cellvit_export import Export


def an_export(folder, tissues, counts):
    names = [f"s_{n}.png" for n in range(len(tissues))]
    table = pd.DataFrame(counts, columns=["Round", "Tall"], index=names)
    return Export(
        folder,
        {"Background": 0, "Round": 1, "Tall": 2},
        {"Breast": 0, "Skin": 1},
        dict(zip(names, tissues, strict=True)),
        {"train": table},
        {},
        None,
    )


@pytest.fixture
def export(tmp_path):
    tissues = ["Breast", "Breast", "Breast", "Skin"]
    return an_export(tmp_path, tissues, [[5, 0], [5, 0], [5, 1], [0, 0]])


def test_without_gamma_all_patches_are_alike(export):
    assert np.ptp(sampling_weights([export], "train", 0)) == 0


def test_rare_tissues_and_classes_weigh_more(export):
    # Tissues: 4/3 thrice and 4/1. Classes: Round in 3 patches, Tall in 1: 4/3, 4/3, 4/3 + 4, none.
    of_tissue = np.array([1 / 3, 1 / 3, 1 / 3, 1])
    of_classes = np.array([1, 1, 4, 0]) / 4
    assert_allclose(sampling_weights([export], "train", 1), of_tissue + of_classes)


def test_half_of_gamma_is_between(export):
    tissue = 4 / (0.5 * np.array([3, 3, 3, 1]) + 2)
    classes = 0.5 + 0.5 * np.array([4 / 3, 4 / 3, 4 / 3 + 4, 0])
    expected = tissue / tissue.max() + classes / classes.max()
    assert_allclose(sampling_weights([export], "train", 0.5), expected)


def test_datasets_are_weighed_together(export, tmp_path):
    other = an_export(tmp_path, ["Skin"], [[1, 1]])
    assert len(sampling_weights([export, other], "train", 1)) == 5


def test_alike_patches_are_each_drawn_once_in_an_epoch():
    batches = epoch_batches(np.ones(12), 12, 4, 64, 1.0, seed=1, epoch=0)
    assert [len(batch) for batch in batches] == [4, 4, 4]
    assert sorted(draw.patch for batch in batches for draw in batch) == list(range(12))
    assert {draw.side_px for batch in batches for draw in batch} == {64}


def test_epochs_differ_and_repeat_by_seed():
    def of(seed, epoch):
        return epoch_batches(np.ones(12), 12, 4, 64, 0.5, seed, epoch)

    assert of(1, 0) == of(1, 0)
    assert of(1, 0) != of(1, 1)
    assert of(1, 0) != of(2, 0)


def test_every_view_has_a_seed_of_its_own_and_batches_one_size():
    batches = epoch_batches(np.ones(6), 30, 6, 256, 0.5, seed=1, epoch=3)
    seeds = [draw.seed for batch in batches for draw in batch]
    assert len(set(seeds)) == 30
    assert all(len({draw.side_px for draw in batch}) == 1 for batch in batches)
    assert len({batch[0].side_px for batch in batches}) > 1


def test_what_does_not_fill_a_batch_is_left_out():
    assert [len(b) for b in epoch_batches(np.ones(10), 10, 4, 64, 1.0, 1, 0)] == [4, 4]


def test_weights_decide_how_often_a_patch_comes():
    batches = epoch_batches(np.array([1.0, 3.0]), 4000, 100, 64, 1.0, seed=1, epoch=0)
    drawn = np.array([draw.patch for batch in batches for draw in batch])
    assert drawn.mean() == pytest.approx(0.75, abs=0.03)
