import json
import logging
from pathlib import Path

import pytest
import torch

from slides.cellvit_export import CLASSES, TISSUES, write_export
from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.network import build_network
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.settings.train import TrainSettings
from sthelar_build.stages.train import run

TINY = {
    "embed_dim": 16,
    "heads": 2,
    "decoder_widths": (4, 4, 4, 8, 8, 8, 4),
    "batch_size": 4,
    "epochs": 2,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_export(tmp_path_factory.mktemp("train") / "cellvit")


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("model")
    train(folder, out, revision=1)
    return out


def train(folder: Path, out: Path, start: Path | None = None, **settings) -> None:
    run(
        [folder],
        out / "checkpoint.pth",
        out / "evaluation.json",
        TrainSettings(**{**TINY, **settings}),
        start,
    )


def test_it_leaves_a_checkpoint_that_opens_strictly(trained):
    checkpoint = open_checkpoint(trained / "checkpoint.pth")
    assert (checkpoint.nuclei_types, checkpoint.tissue_types) == (CLASSES, TISSUES)
    assert checkpoint.magnification == 40
    assert build_network(checkpoint)(torch.zeros(1, 3, 32, 32)).types.shape == (1, 3, 32, 32)
    assert checkpoint.config["sthelar"]["provenance"]["stage"] == "train"
    assert {path.name for path in trained.iterdir()} == {"checkpoint.pth", "evaluation.json"}


def test_it_says_how_good_the_network_is_and_how_it_came_there(trained):
    record = json.loads((trained / "evaluation.json").read_text())
    assert record["n_patches"] == 2
    assert set(record["classes"]) == {"Round", "Tall"}
    assert [row["epoch"] for row in record["history"]] == [1, 2]
    assert record["best_epoch"] in (1, 2)
    assert record["provenance"]["settings"]["epochs"] == 2
    assert "dataset_1" in record["provenance"]["inputs"]


def test_the_same_again_is_the_same(trained, folder, tmp_path):
    train(folder, tmp_path)
    first, second = (
        torch.load(f / "checkpoint.pth")["model_state_dict"] for f in (trained, tmp_path)
    )
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_it_goes_on_after_a_kill(trained, folder, tmp_path, monkeypatch, caplog):
    from sthelar_build.adapters.cellvit_training import loop

    class Killed(BaseException):
        pass

    save = loop.Training._save

    def save_and_die(training, where):
        save(training, where)
        raise Killed

    monkeypatch.setattr(loop.Training, "_save", save_and_die)
    with pytest.raises(Killed):
        train(folder, tmp_path)
    assert not (tmp_path / "checkpoint.pth").exists()
    monkeypatch.undo()
    with caplog.at_level(logging.INFO):
        train(folder, tmp_path)
    assert "going on after epoch 1" in caplog.text
    first, second = (
        torch.load(f / "checkpoint.pth")["model_state_dict"] for f in (trained, tmp_path)
    )
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.pth", "evaluation.json"}


def test_it_starts_from_a_checkpoint(trained, folder, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        train(
            folder,
            tmp_path,
            start=trained / "checkpoint.pth",
            epochs=1,
            freeze_encoder_epochs=1,
        )
    before, after = (open_checkpoint(f / "checkpoint.pth") for f in (trained, tmp_path))
    name = "encoder.blocks.0.attn.qkv.weight"
    assert torch.equal(before.state_dict[name], after.state_dict[name])
    assert "parameter tensors, left 0 of the file" in caplog.text
    assert after.config["sthelar"]["provenance"]["inputs"]["start"]["file"] == "checkpoint.pth"


def test_a_dataset_without_validation_is_refused(tmp_path):
    folder = write_export(tmp_path / "cellvit", n_valid=0)
    with pytest.raises(InputError, match="expected patches in the split valid, found none"):
        train(folder, tmp_path / "model")
    assert not (tmp_path / "model" / "checkpoint.pth").exists()


def test_a_folder_that_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a dataset in the format cellvit"):
        train(tmp_path, tmp_path / "model")


def test_a_start_that_only_the_settings_name_is_refused(folder, tmp_path):
    with pytest.raises(
        ConfigError, match=r"--start: expected the checkpoint that train\.start names"
    ):
        run([folder], tmp_path / "m.pth", tmp_path / "m.json", TrainSettings(start="first.pth"))


def test_heads_must_share_the_token_out():
    with pytest.raises(
        ValueError, match="expected embed_dim to be a multiple of heads, found 64 and 5"
    ):
        TrainSettings(heads=5)


@pytest.mark.slow
def test_it_learns_to_see_nuclei(tmp_path):
    folder = write_export(tmp_path / "cellvit", n_train=16, n_valid=4, n_test=4)
    train(
        folder,
        tmp_path / "model",
        epochs=8,
        patches_per_epoch=32,
        learning_rate=0.005,
        decoder_widths=(8, 8, 8, 8, 8, 8, 8),
        stop_on="Dice",
    )
    record = json.loads((tmp_path / "model" / "evaluation.json").read_text())
    losses = [row["loss"] for row in record["history"]]
    assert losses[-1] < losses[0] / 3
    # All pixels called nucleus would score 0.4.
    assert record["Dice"] > 0.5
