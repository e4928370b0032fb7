import logging

import numpy as np
import pytest
import torch

from slides.cellvit_export import write_export
from sthelar_build.adapters.cellvit_training.augmentation import Augmentation
from sthelar_build.adapters.cellvit_training.dataset import (
    SplitPatches,
    TrainingViews,
    open_exports,
)
from sthelar_build.adapters.cellvit_training.inference import runner
from sthelar_build.adapters.cellvit_training.loop import Steps, Training
from sthelar_build.adapters.cellvit_training.losses import LossWeights
from sthelar_build.adapters.cellvit_training.networks import NetworkChoice, new_network
from sthelar_build.adapters.cellvit_training.sampler import epoch_batches
from sthelar_build.adapters.cellvit_training.schedule import Schedule
from sthelar_build.errors import InputError

TINY = NetworkChoice("small", 16, 4, 2, (4, 4, 4, 8, 8, 8, 4))


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    return open_exports([write_export(tmp_path_factory.mktemp("loop") / "cellvit")])


def a_training(exports, epochs=3, **steps):
    network = new_network(TINY, exports[0].nuclei_types, exports[0].tissue_types, None, 1)
    how = runner("cpu", "fp32", (0.5,) * 3, (0.5,) * 3)
    return Training(network, how, Steps(**steps), Schedule(epochs=epochs), LossWeights())


def run(training, exports, folder, scores=None):
    """Run with given bPQ, epoch by epoch; by default each is better than the last."""
    views = TrainingViews(SplitPatches(exports, "train"), Augmentation(turn=False))
    found = iter(scores or [0.1 * n for n in range(1, 100)])
    folder.mkdir(exist_ok=True)
    return training.run(
        views,
        lambda epoch: epoch_batches(np.ones(8), 8, 4, 64, 1.0, 1, epoch),
        lambda _: {"bPQ": next(found), "Dice": 0.0},
        folder,
    )


def test_the_loss_falls_and_every_epoch_is_recorded(exports, tmp_path):
    done = run(a_training(exports, learning_rate=0.01), exports, tmp_path / "a")
    assert [row["epoch"] for row in done.history] == [1, 2, 3]
    assert done.history[-1]["loss"] < done.history[0]["loss"]
    assert {"hv_gradient", "type_entropy", "bPQ", "seconds"} <= set(done.history[0])
    assert done.best_epoch == 3


def test_the_best_epoch_is_kept_and_a_long_wait_ends_it(exports, tmp_path, caplog):
    training = a_training(exports, epochs=9, patience=2)
    with caplog.at_level(logging.INFO):
        done = run(training, exports, tmp_path / "a", [0.1, 0.5, 0.3, 0.4, 0.9])
    assert (done.epoch, done.best_epoch, done.best_score) == (4, 2, 0.5)
    assert "stopped: no better bPQ in 2 epochs" in caplog.text
    now = training.network.state_dict()
    assert any(not torch.equal(value, now[name]) for name, value in done.best_weights.items())


def test_after_a_kill_it_ends_where_it_would_have_ended(exports, tmp_path, caplog):
    whole = run(a_training(exports), exports, tmp_path / "whole")
    views = TrainingViews(SplitPatches(exports, "train"), Augmentation(turn=False))
    first = a_training(exports)
    # The second validation ends the process.
    scores = iter([{"bPQ": 0.1, "Dice": 0.0}])
    (tmp_path / "part").mkdir()
    with pytest.raises(StopIteration):
        first.run(
            views,
            lambda epoch: epoch_batches(np.ones(8), 8, 4, 64, 1.0, 1, epoch),
            lambda _: next(scores),
            tmp_path / "part",
        )
    with caplog.at_level(logging.INFO):
        again = run(a_training(exports), exports, tmp_path / "part", [0.2, 0.3])
    assert "going on after epoch 1" in caplog.text
    assert [row["loss"] for row in again.history] == [row["loss"] for row in whole.history]
    for name, value in whole.best_weights.items():
        assert torch.equal(value, again.best_weights[name])


def test_a_resting_encoder_stays_as_it_is_and_the_rest_moves(exports, tmp_path):
    training = a_training(exports, epochs=1, freeze_encoder_epochs=1)
    before = {name: value.clone() for name, value in training.network.state_dict().items()}
    run(training, exports, tmp_path / "a")
    moved = {
        name.split(".")[0] + ("." + name.split(".")[1] if name.startswith("encoder") else "")
        for name, value in training.network.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert "decoder" in moved
    assert {name for name in moved if name.startswith("encoder")} == {"encoder.head"}


def test_a_loss_without_bounds_stops_with_one_line(exports, tmp_path):
    training = a_training(exports)
    with torch.no_grad():
        training.network.encoder.cls_token.fill_(float("nan"))
    with pytest.raises(
        InputError, match=r"epoch 1: expected a finite loss, found nan; lower train"
    ):
        run(training, exports, tmp_path / "a")
