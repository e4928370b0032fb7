"""CellViT's own evaluation of a slide: every patch that has nuclei in its mask and was segmented."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from sthelar_build.core.dataset_quality import DatasetQuality, PatchQuality
from sthelar_build.core.detection import RADIUS_PX
from sthelar_build.core.magnification import nearest_magnification
from sthelar_build.core.patch_quality import FoundNuclei, patch_quality
from sthelar_build.core.patches import type_map
from sthelar_build.io.compared_patches import ComparedPatch, ComparedPatches
from sthelar_build.io.inference_results import write_inference_results
from sthelar_build.schema.labels import PATCH_CLASSES

_ONE_TYPE = {"Background": 0, "Nucleus": 1}


def write_original_evaluation(
    path: Path, compared: ComparedPatches, patch_ids: Iterable[int], slide: str, tissue: str
) -> None:
    """Write ``inference_results.json``, images named ``{slide}_{patch_id}.png``.

    Nuclei are compared by type where the network knows our classes by their names. Else every true nucleus is of type 1, as the
    alignment check of STHELAR has it, and only Dice, Jaccard and bPQ mean something.
    """
    network = compared.predictions.manifest.get("network") or {}
    types: Mapping[str, int] = network.get("nuclei_types") or _ONE_TYPE
    type_of_class = _types_of_classes(types)
    n_types = max(types.values()) + 1
    quality = DatasetQuality(n_types)
    for patch_id in patch_ids:
        name = f"{slide}_{patch_id}.png"
        patch = compared.patch(patch_id)
        quality.add(_quality(compared, patch, (name, tissue), type_of_class, n_types))
    write_inference_results(path, quality, types)


def _types_of_classes(types: Mapping[str, int]) -> np.ndarray:
    """Return the type of every class index, 0 for the background."""
    names = [one.name for one in PATCH_CLASSES]
    shared = all(name in types for name in names)
    found = np.zeros(max(one.index for one in PATCH_CLASSES) + 1, dtype=np.uint8)
    for one in PATCH_CLASSES:
        found[one.index] = types[one.name] if shared else 1
    return found


def _quality(
    compared: ComparedPatches,
    patch: ComparedPatch,
    name: tuple[str, str],
    type_of_class: np.ndarray,
    n_types: int,
) -> PatchQuality:
    shown = compared.masks.table_between(patch.patch_id, patch.patch_id + 1)
    ids = shown["nucleus_id"].to_numpy()
    place = np.searchsorted(ids, patch.true)
    dense = np.where(patch.true > 0, place + 1, 0)
    true_types = type_map(dense.astype(np.int32), type_of_class[shown["class_index"].to_numpy()])
    nuclei = patch.nuclei
    types = nuclei["type_index"].fillna(1).to_numpy(np.int64)
    # Our pixels are squares with a centre at one half.
    points_px = nuclei[["x_px", "y_px"]].to_numpy(np.float64) - 0.5
    found = FoundNuclei(nuclei["instance_id"].to_numpy(), types, points_px)
    radius_px = RADIUS_PX[
        compared.predictions.manifest["magnification"]
        or nearest_magnification(compared.masks.manifest["um_per_px"])
    ]
    return patch_quality(
        name,
        (patch.true, true_types),
        (patch.instances, patch.foreground, found),
        radius_px,
        n_types,
    )
