"""Folders of predictions, from maps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sthelar_build.core.predicted_maps import UNASSIGNED, PredictedNuclei, PredictedPatch, nuclei_of
from sthelar_build.io.gathering import GRID_ROWS
from sthelar_build.io.prediction_rows import PredictionRows
from sthelar_build.io.predictions import METHOD

TYPES = {"Background": 0, "Round": 1, "Flat": 2}
SOURCE = {"stage": "segment"}


def write_predictions(
    folder: Path,
    shape: tuple[int, int, int],
    maps: Mapping[int, np.ndarray],
    reasons: Mapping[int, str],
    method: str = "haematoxylin",
    types: Mapping[int, int] | None = None,
) -> Path:
    """Write the predictions of a grid (rows, columns, side).

    Patches without a map need a reason. ``types`` gives the type of each instance; those that it leaves out have no entry.
    """
    scratch = folder.with_name(f".{folder.name}.scratch")
    scratch.mkdir(parents=True)
    rows = PredictionRows(scratch, shape, SOURCE)
    n_rows, columns, side_px = shape
    for row in range(n_rows):
        ids = range(row * columns, (row + 1) * columns)
        written = [
            rows.write_block(row, chunk, [predicted(i, maps[i], types) for i in block if i in maps])
            for chunk, block in enumerate(_cut(ids, rows.together))
        ]
        rows.finish_row(row, written, {i: reasons.get(i) for i in ids})
    network = {"arch": "CellViT", "sha256": 64 * "0", "nuclei_types": TYPES} if types else None
    facts: dict[str, Any] = {"side_px": side_px, "um_per_px": 0.25, "scale": "native"}
    facts |= {"n_patches": n_rows * columns, GRID_ROWS: [0, n_rows], METHOD: method}
    facts |= {"magnification": None if types is None else 40, "network": network, "ran_on": []}
    rows.assemble(range(n_rows), folder, facts)
    return folder


def predicted(
    patch_id: int, instances: np.ndarray, types: Mapping[int, int] | None = None
) -> PredictedPatch:
    """Return a patch, described by its map."""
    found = np.asarray(instances, dtype=np.uint32)
    nuclei = nuclei_of(np.where(found == UNASSIGNED, np.uint32(0), found))
    if types is not None:
        kept = np.isin(nuclei.ids, list(types))
        ids = nuclei.ids[kept]
        nuclei = PredictedNuclei(
            ids,
            nuclei.bbox[kept],
            nuclei.centroid_px[kept],
            np.array([types[i] for i in ids.tolist()], dtype=np.uint8),
            np.ones(len(ids), dtype=np.float32),
        )
    return PredictedPatch(patch_id, found, nuclei)


def _cut(ids: range, size: int) -> list[range]:
    return [ids[first : first + size] for first in range(0, len(ids), size)]
