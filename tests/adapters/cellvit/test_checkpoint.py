import hashlib
import zipfile
from pathlib import PurePosixPath

import pytest
import torch

from sthelar_build.adapters.cellvit.architecture import Architecture
from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.errors import InputError


def test_a_checkpoint_says_what_the_network_is_and_what_its_numbers_mean(save):
    config = {
        "model.embed_dim": 16,
        "model.num_heads": 2,
        "model.extract_layers": [1, 2, 3, 4],
        "model.decoder_widths": [3, 4, 5, 6, 7, 8, 9],
        "data.magnification": 20,
        "training.mixed_precision": True,
        "transformations.normalize.mean": [0.1, 0.2, 0.3],
    }
    path = save(config=config, epoch=3)
    found = open_checkpoint(str(path))
    assert (found.arch, found.architecture.depth) == ("CellViT", 4)
    assert found.config["model"]["embed_dim"] == 16
    assert (found.magnification, found.mixed_precision) == (20, True)
    assert (found.mean, found.std) == ((0.1, 0.2, 0.3), (0.5, 0.5, 0.5))
    assert found.nuclei_types["Dead"] == 4
    assert found.tissue_types["Uterus"] == 18
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_weights_of_half_precision_are_widened(save):
    halves = {"encoder.norm.bias": torch.ones(16, dtype=torch.float16)}
    found = open_checkpoint(save(model_state_dict=halves))
    assert found.state_dict["encoder.norm.bias"].dtype == torch.float32


def test_a_published_network_without_a_config_is_opened(save):
    found = open_checkpoint(save(arch="CellViT256", config=None, model_state_dict={}))
    assert found.architecture == Architecture("CellViT256", 384, 12, 6, (3, 6, 9, 12))


def test_a_file_that_must_run_code_is_opened_only_when_trusted(save):
    path = save(logdir=PurePosixPath("runs"))
    with pytest.raises(InputError, match=r"small\.pth: .* set segment.trust_checkpoint: true$"):
        open_checkpoint(path)
    assert open_checkpoint(path, trusted=True).arch == "CellViT"


def test_a_file_of_an_old_torch_is_opened(save):
    path = save()
    content = torch.load(path)
    torch.save(content, path, _use_new_zipfile_serialization=False)
    assert open_checkpoint(path).arch == "CellViT"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="the checkpoint is damaged"):
        open_checkpoint(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"none\.pth: expected a CellViT checkpoint, found no file"
    ):
        open_checkpoint(tmp_path / "none.pth")


def test_a_file_cut_short_or_of_another_kind_is_refused(save, tmp_path):
    cut = save()
    cut.write_bytes(cut.read_bytes()[:3000])
    other = tmp_path / "other.pth"
    other.write_text("hello")
    archive = tmp_path / "archive.pth"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "hello")
    for path in (cut, other, archive):
        with pytest.raises(InputError, match="found another kind of file or one cut short"):
            open_checkpoint(path)


def test_a_torch_file_of_something_else_is_refused_with_what_it_holds(save, tmp_path):
    with pytest.raises(InputError, match="with arch and model_state_dict, found config, model_sta"):
        open_checkpoint(save(arch=None))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match="expected a table of weights, found list"):
        open_checkpoint(tmp_path / "list.pth")
    with pytest.raises(InputError, match=r"expected a tensor for encoder\.head, found int"):
        open_checkpoint(save(model_state_dict={"encoder.head": 1}))
