"""A small network of the CellViT family, its checkpoint, and the oracle's weights."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sthelar_build.adapters.cellvit.architecture import Architecture, Widths
from sthelar_build.adapters.cellvit.network import CellViT

WIDTHS = Widths(3, 4, 5, 6, 7, 8, 9)


def described(architecture: Architecture) -> dict[str, Any]:
    """Return the config of a network of free size, its keys joined by dots."""
    return {
        "model.embed_dim": architecture.embed_dim,
        "model.depth": architecture.depth,
        "model.num_heads": architecture.heads,
        "model.extract_layers": list(architecture.skip_blocks),
        "model.global_blocks": list(architecture.global_blocks),
        "model.decoder_widths": list(architecture.decoder_widths),
        "model.regression_loss": architecture.regression,
    }


def lively(network: CellViT) -> CellViT:
    """Give the norms statistics, and the tables values, as training would."""
    generator = torch.Generator().manual_seed(1)
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith(("running_mean", "bias", "pos_h", "pos_w", "pos_embed")):
            value.data.normal_(0, 0.2, generator=generator)
    return network.eval()


@pytest.fixture(params=["CellViT", "CellViTShared", "CellViTSAM", "CellViTSAMShared"])
def architecture(request: pytest.FixtureRequest) -> Architecture:
    """Each kind of network."""
    return small(request.param)


def small(arch: str = "CellViT", **other: Any) -> Architecture:
    blocks = (1, 3) if "SAM" in arch else ()
    return Architecture(arch, 16, 4, 2, (1, 2, 3, 4), global_blocks=blocks, widths=WIDTHS, **other)


@pytest.fixture
def network(architecture: Architecture) -> CellViT:
    torch.manual_seed(0)
    return lively(CellViT(architecture))


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write a checkpoint of a small network; keywords replace entries of the file, or leave them out by None."""

    def write(architecture: Architecture | None = None, **entries: Any) -> Path:
        torch.manual_seed(0)
        shape = architecture or small()
        content = {
            "arch": shape.arch,
            "config": described(shape),
            "model_state_dict": lively(CellViT(shape)).state_dict(),
            **entries,
        }
        path = tmp_path / "small.pth"
        torch.save({name: value for name, value in content.items() if value is not None}, path)
        return path

    return write


@pytest.fixture(scope="session")
def oracle(shared_data: Path) -> Path:
    folder = shared_data / "cellvit"
    if not folder.is_dir():
        pytest.skip("the tables of the CellViT oracle are not on this machine")
    return folder


@pytest.fixture(scope="session")
def drawn(oracle: Path) -> Any:
    """The module that draws the oracle's weights and images."""
    path = oracle / "deterministic_weights.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
