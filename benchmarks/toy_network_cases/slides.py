"""The simulated slides that the toy checkpoint learns from: none is a toy slide of the shipped configuration."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import yaml

_SIDE_UM = 400

_RECIPES = {
    # slide: tissue, seed, um per px, how far the stain is from the textbook, rotation
    "sim_breast_1": ("breast_cancer", 101, 0.2738, 0.5, 93),
    "sim_breast_2": ("breast_cancer", 102, 0.25, 1.0, 17),
    "sim_breast_3": ("breast_cancer", 103, 0.36, 0.7, 200),
    "sim_breast_4": ("breast_cancer", 104, 0.5, 0.5, 60),
    "sim_skin_1": ("skin", 111, 0.25, 0.5, -12),
    "sim_skin_2": ("skin", 112, 0.2738, 1.0, 140),
    "sim_skin_3": ("skin", 113, 0.42, 0.7, 75),
}

_TISSUES = {"breast_cancer": ("Breast", "cancer"), "skin": ("Skin", "normal")}


def write_configuration(folder: Path) -> None:
    """Write ``config/`` of a run that exports these slides in the format of CellViT, at both scales."""
    config = folder / "config"
    config.mkdir(parents=True, exist_ok=True)
    values = {
        "formats": ["cellvit"],
        "simulate": {name: _recipe(*row) for name, row in _RECIPES.items()},
        "collect": {"strategy": "space", "shares": [0.8, 0.1, 0.1], "min_verdict": "fail"},
    }
    (config / "config.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    _write_sheet(config / "slides.tsv", [_slide(name, row[0]) for name, row in _RECIPES.items()])
    _write_sheet(config / "references.tsv", [_reference(name) for name in _RECIPES])


def _recipe(tissue: str, seed: int, um_per_px: float, stain: float, turn: float) -> dict[str, Any]:
    return {
        "tissue": tissue,
        "seed": seed,
        "width_um": _SIDE_UM,
        "height_um": _SIDE_UM,
        "he_um_per_px": um_per_px,
        "he_stain_variation": stain,
        "he_rotation_deg": turn,
    }


def _slide(name: str, kind: str) -> dict[str, str]:
    tissue, condition = _TISSUES[kind]
    files = f"resources/toy/{name}"
    return {
        "slide": name,
        "patient": name,
        "tissue": tissue,
        "condition": condition,
        "xenium": f"{files}/xenium",
        "he": f"{files}/he_image.ome.tif",
        "alignment": f"{files}/alignment_matrix.csv",
        "reference": name,
        "predictions": "",
    }


def _reference(name: str) -> dict[str, str]:
    path = f"resources/toy/{name}/reference.h5ad"
    return {
        "reference": name,
        "path": path,
        "label_key": "cell_type",
        "layer": "",
        "label_map": "",
    }


def _write_sheet(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
