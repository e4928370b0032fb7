"""Cellpose 3 on one tile of the DAPI image. The package is optional: ``pip install "sthelar_build[segment]"``."""

from __future__ import annotations

import pickle
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sthelar_build.adapters.cellvit.devices import devices_here
from sthelar_build.errors import ConfigError, InputError, first_line
from sthelar_build.settings.resegment import ResegmentSettings

_MAJOR = "3"
_CHANNELS, _OUTPUTS, _KERNEL_PX = [2, 32, 64, 128, 256], 3, 3
"""Of the networks of version 3 but its transformer."""
_LARGEST_SHARE = 0.4
"""Cellpose drops a mask that covers more of the image than this."""


class Cellpose:
    """A network, and how it is used; called with a tile, it returns the nuclei of the tile.

    Parameters
    ----------
    settings
        ``model``, ``diameter_um``, ``flow_threshold``, ``cellprob_threshold``, ``device``.
    model
        File of the network; None to take the one that Cellpose has stored as ``settings.model``.
    um_per_px
        Pixel size of the tiles.
    threads
        Cores that may be used.

    Raises
    ------
    ConfigError
        Without the package, or the device.
    InputError
        Without the network: none is downloaded.
    """

    def __init__(
        self, settings: ResegmentSettings, model: Path | None, um_per_px: float, threads: int
    ) -> None:
        package = _package()
        self.path = model or _stored(package.MODEL_DIR, settings.model)
        self.facts = {"cellpose": version("cellpose"), "model": self.path.name}
        device = _device(settings.device)
        torch.set_num_threads(threads)
        _check(self.path, package.CPnet(_CHANNELS, _OUTPUTS, sz=_KERNEL_PX))
        self._network = package.CellposeModel(
            gpu=device.type != "cpu", pretrained_model=str(self.path), device=device
        )
        self._how = {
            "diameter": settings.diameter_um / um_per_px,
            "flow_threshold": settings.flow_threshold,
            "cellprob_threshold": settings.cellprob_threshold,
            "min_size": int(settings.min_area_um2 / um_per_px**2),
            "max_size_fraction": _LARGEST_SHARE,
        }

    def __call__(self, tile: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return the nuclei (h, w) of a normalised tile: 0 is background, every other value a nucleus."""
        with warnings.catch_warnings():
            # Of torch, on the sparse tensors that Cellpose makes.
            warnings.filterwarnings("ignore", message="Sparse invariant checks")
            masks, *_ = self._network.eval(tile, channels=[0, 0], normalize=False, **self._how)
        return np.asarray(masks, dtype=np.int32).reshape(tile.shape)


def _package() -> Any:
    try:
        major = version("cellpose").split(".", maxsplit=1)[0]
    except PackageNotFoundError as error:
        raise ConfigError(
            "resegment.source: expected the package cellpose 3 for cellpose, found none; install it with "
            'pip install "sthelar_build[segment]", or take another source'
        ) from error
    if major != _MAJOR:
        raise ConfigError(
            f"resegment.source: expected the package cellpose 3, found {version('cellpose')}; "
            'install it with pip install "cellpose>=3.1,<4"'
        )
    with warnings.catch_warnings():
        # Of parts of torch that Cellpose loads.
        warnings.simplefilter("ignore")
        from cellpose import models

    return models


def _stored(folder: Path, name: str) -> Path:
    """Return the file that Cellpose has stored under a name; older models have a suffix."""
    for file in (name, f"{name}torch_0"):
        if (folder / file).is_file():
            return folder / file
    raise InputError(
        f"{folder}: expected the network {name}, found none, and a job downloads nothing; store it there beforehand "
        f'(python -c "from cellpose.models import model_path; model_path({name!r})"), or give resegment.model as a path'
    )


def _device(name: str) -> torch.device:
    if not devices_here()[name]:
        raise ConfigError(
            f"resegment.device: expected a device that torch can use for {name}, found none; set it to cpu"
        )
    return torch.device(name)


def _check(path: Path, network: Any) -> None:
    """Refuse a file that does not fit: Cellpose takes what fits, and says nothing of the rest."""
    found = {name: tuple(one.shape) for name, one in _weights(path).items()}
    for name, one in network.state_dict().items():
        if not name.startswith("diam") and found.get(name) != tuple(one.shape):
            raise _no_network(path, f"one without {name} of shape {tuple(one.shape)}")


def _weights(path: Path) -> dict[str, Any]:
    """Read the weights of a file, and no code; InputError if it is something else."""
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise _no_network(path, f"something else ({first_line(error)})") from error
    if not isinstance(weights, dict) or not all(hasattr(one, "shape") for one in weights.values()):
        raise _no_network(path, "something else")
    return weights


def _no_network(path: Path, found: str) -> InputError:
    return InputError(
        f"{path}: expected a network of Cellpose 3, found {found}; give the file that Cellpose 3 has stored or trained"
    )
