"""A dataset in the format cellvit that is small enough to learn by heart: dark nuclei of two classes on a pale ground."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse
import yaml
from PIL import Image

CLASSES = {"Background": 0, "Round": 1, "Tall": 2}
TISSUES = {"Breast": 0, "Skin": 1}
SIDE_PX = 64
COLOURS = {1: (70, 40, 130), 2: (40, 70, 150)}


def patch(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return image, instance map and type map: up to nine nuclei on a grid of 20 px."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX]
    image = np.full((SIDE_PX, SIDE_PX, 3), (235, 205, 225), dtype=np.float64)
    instances = np.zeros((SIDE_PX, SIDE_PX), dtype=np.int32)
    types = np.zeros_like(instances)
    for number, place in enumerate(rng.permutation(9)[: rng.integers(4, 10)], start=1):
        kind = int(rng.integers(1, 3))
        centre = np.array(divmod(int(place), 3)) * 20 + 12 + rng.uniform(-2, 2, 2)
        radii = (6, 6) if kind == 1 else (8, 4)
        inside = ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2 < 1
        instances[inside], types[inside], image[inside] = number, kind, COLOURS[kind]
    image += rng.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), instances, types


def write_export(folder: Path, n_train: int = 8, n_valid: int = 2, n_test: int = 2) -> Path:
    """Write the dataset; the patches of two slides, one a tissue, take turns."""
    folder.mkdir(parents=True)
    splits = ["train"] * n_train + ["valid"] * n_valid + ["test"] * n_test
    names = [f"slide_{number % 2}_{number}" for number in range(len(splits))]
    counts = []
    with (
        zipfile.ZipFile(folder / "images.zip", "w") as images,
        zipfile.ZipFile(folder / "labels.zip", "w") as labels,
    ):
        for number, name in enumerate(names):
            image, instances, types = patch(number)
            images.writestr(f"{name}.png", _png(image))
            labels.writestr(f"{name}.npz", _label(instances, types))
            pairs = np.unique(np.stack([instances, types]).reshape(2, -1), axis=1)[1]
            counts.append([int((pairs == kind).sum()) for kind in (1, 2)])
    table = pd.DataFrame(counts, columns=list(CLASSES)[1:])
    table.insert(0, "Image", [f"{name}.png" for name in names])
    for split in ("train", "valid", "test"):
        table[[one == split for one in splits]].to_csv(
            folder / f"cell_count_{split}.csv", index=False
        )
    tissues = [list(TISSUES)[number % 2] for number in range(len(names))]
    pd.DataFrame({"img": table.Image, "type": tissues}).to_csv(folder / "types.csv", index=False)
    _yaml(folder / "dataset_config.yaml", {"tissue_types": TISSUES, "nuclei_types": CLASSES})
    weights = {
        "tissue": {"Breast": n_train // 2, "Skin": n_train // 2},
        "cell": {"Round": n_train, "Tall": n_train},
        "class_weights": {"Background": 0.25, "Round": 0.25, "Tall": 0.5},
    }
    _yaml(folder / "weight_config.yaml", weights)
    return folder


def _png(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "png")
    return content.getvalue()


def _label(instances: np.ndarray, types: np.ndarray) -> bytes:
    parts = {}
    for name, values in (("inst_map", instances), ("type_map", types)):
        csr = scipy.sparse.csr_matrix(values)
        parts |= {f"{name}_{part}": getattr(csr, part) for part in ("data", "indices", "indptr")}
        parts[f"{name}_shape"] = np.array(csr.shape)
    content = io.BytesIO()
    np.savez(content, **parts)
    return content.getvalue()


def _yaml(path: Path, values: dict) -> None:
    path.write_text(yaml.safe_dump(values, sort_keys=False))
