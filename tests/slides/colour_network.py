"""A network of the CellViT family that reads its answer off the colours of a picture, and pictures to be read.

Blue says whether a pixel is nucleus, and of which type; red and green are the offsets from the centre. So the answer
is known without any training, and every part of the real path is run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from sthelar_build.adapters.cellvit.architecture import Architecture, Widths
from sthelar_build.adapters.cellvit.network import CellViT

TYPES = {"Background": 0, "Round": 1, "Flat": 2}
_BLUE = {1: 0, 2: 80}
_WIDTHS = Widths(3, 3, 2, 2, 2, 2, 2)


def write_colour_network(path: Path, magnification: int = 40) -> Path:
    """Write the checkpoint."""
    shape = Architecture("CellViT", 16, 4, 2, (1, 2, 3, 4), n_nuclei=3, n_tissues=2, widths=_WIDTHS)
    torch.manual_seed(0)
    network = CellViT(shape)
    # Colours, from 0 to 2, pass all convolutions on the way from the picture to the outputs.
    for block in network.decoder0:
        _pass_on(block.block[0])
    network.decoder0[0].block[0].bias.data += 1
    outputs = {
        "nuclei_binary_map_decoder": ([[0, 0, 1], [0, 0, 0]], [0, 1]),
        "hv_map_decoder": ([[1, 0, 0], [0, 1, 0]], [-1, -1]),
        "nuclei_type_maps_decoder": ([[0, 0, 3], [0, 0, 0], [0, 0, 1]], [-3, 0.3, 0]),
    }
    for name, (weights, bias) in outputs.items():
        first, second, last = getattr(network, name).decoder0_header
        _pass_on(first.block[0])
        _pass_on(second.block[0])
        last.weight.data = torch.tensor(weights, dtype=torch.float32)[..., None, None]
        last.bias.data = torch.tensor(bias, dtype=torch.float32)
    config = {
        "data.num_nuclei_classes": 3,
        "data.num_tissue_classes": 2,
        "data.magnification": magnification,
        "model.embed_dim": 16,
        "model.depth": 4,
        "model.num_heads": 2,
        "model.extract_layers": [1, 2, 3, 4],
        "model.decoder_widths": list(_WIDTHS),
        **{f"dataset_config.nuclei_types.{name}": n for name, n in TYPES.items()},
        **{f"dataset_config.tissue_types.{name}": n for n, name in enumerate(("Breast", "Skin"))},
    }
    content = {"arch": "CellViT", "config": config, "model_state_dict": network.state_dict()}
    torch.save(content, path)
    return path


def _pass_on(convolution: torch.nn.Conv2d) -> None:
    """Make the first three outputs of a 3 x 3 convolution its first three inputs."""
    convolution.weight.data.zero_()
    convolution.bias.data.zero_()
    for channel in range(3):
        convolution.weight.data[channel, channel, 1, 1] = 1


def painted(width_px: int, height_px: int, discs: list[tuple[int, int, int, int]]) -> np.ndarray:
    """Return a picture (y, x, 3) with a nucleus for every disc (x, y, radius, type), all else without."""
    picture = np.full((height_px, width_px, 3), 255, dtype=np.uint8)
    y, x = np.mgrid[:height_px, :width_px]
    for centre_x, centre_y, radius, kind in discs:
        inside = (x - centre_x) ** 2 + (y - centre_y) ** 2 < radius**2
        for channel, offset in enumerate((x - centre_x, y - centre_y)):
            value = 127.5 * (1 + offset[inside] / radius)
            picture[inside, channel] = np.clip(np.round(value), 0, 255)
        picture[inside, 2] = _BLUE[kind]
    return picture
