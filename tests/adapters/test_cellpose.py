"""With the package (``pip install "sthelar_build[segment]"``); without it, nothing of this can run."""

import warnings

import numpy as np
import pytest
import torch

from sthelar_build.errors import ConfigError, InputError
from sthelar_build.settings.resegment import ResegmentSettings

pytest.importorskip("cellpose")

from sthelar_build.adapters.cellpose import Cellpose

SETTINGS = ResegmentSettings(source="cellpose", diameter_um=8, min_area_um2=2)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A network that has learnt nothing: it has the right parts."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("network") / "untrained"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cellpose.models import CellposeModel

        CellposeModel(gpu=False, pretrained_model=None).net.save_model(str(path))
    return path


def test_a_tile_gives_a_label_map_of_its_size_and_the_same_one_again(network):
    tile = np.random.default_rng(0).random((130, 170)).astype(np.float32)
    segment = Cellpose(SETTINGS, network, 0.2125, 1)
    first, second = segment(tile), segment(tile)
    assert (first.shape, first.dtype) == ((130, 170), np.int32)
    assert (first == second).all()
    assert segment.facts["model"] == "untrained"


def test_files_that_are_no_network_of_cellpose_3_are_refused(tmp_path, network):
    weights = torch.load(network, weights_only=True)
    for name, content in (
        ("other", {"a": torch.zeros(1)}),
        ("list", [1]),
        ("wider", {**weights, "output.2.weight": torch.zeros(7)}),
    ):
        torch.save(content, tmp_path / name)
        with pytest.raises(InputError, match=f"{name}: expected a network of Cellpose 3"):
            Cellpose(SETTINGS, tmp_path / name, 0.2125, 1)
    (tmp_path / "text").write_text("no network")
    with pytest.raises(InputError, match="text: expected a network of Cellpose 3"):
        Cellpose(SETTINGS, tmp_path / "text", 0.2125, 1)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "run"), "w"))

    torch.save({"weights": Attack()}, tmp_path / "evil")
    with pytest.raises(InputError, match="evil: expected a network"):
        Cellpose(SETTINGS, tmp_path / "evil", 0.2125, 1)
    assert not (tmp_path / "run").exists()


def test_a_network_that_is_not_stored_is_named_and_not_downloaded():
    with pytest.raises(InputError, match="expected the network no_such_network, found none"):
        Cellpose(SETTINGS.model_copy(update={"model": "no_such_network"}), None, 0.2125, 1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused(network):
    with pytest.raises(ConfigError, match=r"resegment\.device"):
        Cellpose(SETTINGS.model_copy(update={"device": "cuda"}), network, 0.2125, 1)
