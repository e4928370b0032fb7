"""The folder of a run on one large simulated slide: configuration and sheets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SLIDE = "large"
_BLOCK_UM = 870.4
_CELLS_PER_BLOCK = 6420
_DRAWS = f"resources/toy/{SLIDE}"
_ROW = {
    "slide": SLIDE,
    "patient": "one",
    "tissue": "Breast",
    "condition": "cancer",
    "xenium": f"{_DRAWS}/xenium",
    "he": f"{_DRAWS}/he_image.ome.tif",
    "alignment": f"{_DRAWS}/alignment_matrix.csv",
    "reference": "atlas",
    "predictions": "",
}
_ATLAS = {
    "reference": "atlas",
    "path": f"{_DRAWS}/reference.h5ad",
    "label_key": "cell_type",
    "layer": "",
    "label_map": "",
}


@dataclass(frozen=True)
class SlideSize:
    """How large a slide is to be."""

    cells: int
    """About; blocks are whole."""
    genes: int
    transcripts_per_cell: float

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return f"{self.cells}_cells_{self.genes}_genes"

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of blocks, about as many of each."""
        blocks = max(2, round(self.cells / _CELLS_PER_BLOCK))
        columns = math.ceil(math.sqrt(blocks))
        return max(1, round(blocks / columns)), columns

    def recipe(self) -> dict[str, Any]:
        """Return the recipe of the slide, as ``config.yaml`` has it."""
        rows, columns = self.grid
        return {
            "width_um": _BLOCK_UM,
            "height_um": _BLOCK_UM,
            "mosaic_rows": rows,
            "mosaic_columns": columns,
            "off_tissue_share": 0.05,
            "panel_size": self.genes,
            "transcripts_per_cell": self.transcripts_per_cell,
            "he_rotation_deg": 0,
            "he_margin_um": 0,
            "he_um_per_px": 0.2125 * 4 / 3,
            "reference_cells": 10_000,
        }


def write_run(folder: Path, size: SlideSize, scales: list[str], formats: list[str]) -> None:
    """Write the configuration of a run and its two sheets; equal files are left as they are."""
    known = {"40x": "native", "20x": "native/2"}
    config = {
        "scales": {name: known[name] for name in scales},
        "formats": formats,
        "segment": {"method": "haematoxylin"},
        "simulate": {SLIDE: size.recipe()},
    }
    _keep(folder / "config/config.yaml", yaml.safe_dump(config, sort_keys=False))
    _keep(folder / "config/slides.tsv", _sheet(_ROW))
    _keep(folder / "config/references.tsv", _sheet(_ATLAS))


def _sheet(row: dict[str, str]) -> str:
    return "\t".join(row) + "\n" + "\t".join(row.values()) + "\n"


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
