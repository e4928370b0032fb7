"""Tiny image models with random weights: a CellViT checkpoint, and folders of the transformers library."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import Dinov2Config, Dinov2Model, ViTConfig, ViTModel

from sthelar_build.adapters.cellvit.architecture import Architecture, published_widths
from sthelar_build.adapters.cellvit.network import CellViT

TYPES = {"Background": 0, "Round": 1, "Long": 2}
"""Types of the CellViT network."""
TOKEN_DIM = 16

SIDE_PX, TOKEN_PX = 24, 4
"""Side of the images that they take, and of the block of a token."""
_SHAPE = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIDE_PX,
    "patch_size": TOKEN_PX,
}


def write_image_model(folder: Path, kind: str, seed: int = 0) -> Path:
    """Write a model of kind dinov2 (as Phikon-v2) or vit, and how its images are prepared."""
    torch.manual_seed(seed)
    if kind == "dinov2":
        model = Dinov2Model(Dinov2Config(**_SHAPE, mlp_ratio=2))
        facts = {"do_center_crop": True, "crop_size": {"height": SIDE_PX, "width": SIDE_PX}}
    else:
        model = ViTModel(ViTConfig(**_SHAPE, intermediate_size=16), add_pooling_layer=False)
        facts = {"size": {"height": SIDE_PX, "width": SIDE_PX}}
    model.save_pretrained(folder)
    facts |= {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    (folder / "preprocessor_config.json").write_text(json.dumps(facts))
    return folder


def write_tiny_checkpoint(path: Path, types: dict[str, int] = TYPES) -> Path:
    """Write a CellViT checkpoint of 40 thousand parameters."""
    torch.manual_seed(0)
    widths = published_widths(TOKEN_DIM).divided(16)
    shape = Architecture("CellViT", TOKEN_DIM, 4, 2, (1, 2, 3, 4), len(types), 2, widths=widths)
    config = {
        "data.num_nuclei_classes": len(types),
        "data.num_tissue_classes": 2,
        "data.magnification": 40,
        "model.embed_dim": TOKEN_DIM,
        "model.depth": 4,
        "model.num_heads": 2,
        "model.extract_layers": [1, 2, 3, 4],
        "model.decoder_widths": list(widths),
        **{f"dataset_config.nuclei_types.{name}": n for name, n in types.items()},
        "dataset_config.tissue_types.Breast": 0,
        "dataset_config.tissue_types.Skin": 1,
    }
    weights = CellViT(shape).state_dict()
    torch.save({"arch": "CellViT", "config": config, "model_state_dict": weights}, path)
    return path
