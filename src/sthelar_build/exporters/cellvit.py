"""CellViT: images and labels as zips, counts per split, and the two configuration files."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse
import yaml
from numpy.typing import NDArray

from sthelar_build.config import ExportSettings
from sthelar_build.core.class_weights import class_weights
from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.errors import InputError
from sthelar_build.io.patch_images import encoded
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.io.png import png_pixels
from sthelar_build.io.progress import progress
from sthelar_build.io.zips import zip_writer
from sthelar_build.schema.labels import OTHER, PATCH_CLASS_NAMES

_IMAGE_NAME = re.compile(r"^([A-Za-z0-9_]+)_\d+\.png")
"""What the loader accepts; the group is the slide."""
_MAPS = ("inst_map", "type_map")
_CHECKED = 200


def write(source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
    """Write one folder that the loader of CellViT for STHELAR takes as it is."""
    out.mkdir()
    with zip_writer(out / "images.zip") as images, zip_writer(out / "labels.zip") as labels:
        patches = progress(source, "images and labels", len(source))
        for patch, png in encoded(patches, settings.png_level, threads):
            images.add(f"{patch.name}.png", png, compress=False)
            labels.add(f"{patch.name}.npz", _label(patch.dense, patch.types), compress=True)
    _write_tables(source, out)
    _write_configuration(source, out)


def validate(folder: Path) -> None:
    """Raise InputError unless names, labels, counts and configuration agree as the loader expects.

    Of many patches, 200 evenly spread ones are opened.
    """
    counts = pd.read_csv(folder / "cell_count.csv")
    images = counts["Image"].tolist()
    types = pd.read_csv(folder / "types.csv")
    with (
        zipfile.ZipFile(folder / "images.zip") as image_zip,
        zipfile.ZipFile(folder / "labels.zip") as label_zip,
    ):
        labels = [f"{Path(name).stem}.npz" for name in images]
        agree = image_zip.namelist() == images and label_zip.namelist() == labels
        if not agree or types["img"].tolist() != images:
            raise InputError(
                f"{folder}: expected the same patches in images.zip, labels.zip, cell_count.csv and types.csv, "
                "found others; export it again"
            )
        for row in np.unique(np.linspace(0, len(images) - 1, _CHECKED).astype(int)):
            flaw = _flaw(image_zip, label_zip, images[row], counts.iloc[row])
            if flaw:
                raise InputError(f"{folder}: {images[row]}: found {flaw}; export it again")
    _check_splits(folder, set(images))
    _check_configuration(folder, set(types["type"]))


def _label(dense: NDArray[np.int32], types: NDArray[np.uint8]) -> bytes:
    parts: dict[str, Any] = {}
    for name, values in zip(_MAPS, (dense, types.astype(np.int32)), strict=True):
        csr = scipy.sparse.csr_array(values)
        parts |= {
            f"{name}_data": csr.data.astype(np.int32),
            f"{name}_indices": csr.indices.astype(np.int32),
            f"{name}_indptr": csr.indptr.astype(np.int32),
            f"{name}_shape": np.array(csr.shape, dtype=np.int64),
        }
    content = io.BytesIO()
    np.savez(content, **parts)
    return content.getvalue()


def _write_tables(source: PatchSource, out: Path) -> None:
    images = source.table["name"] + ".png"
    types = pd.DataFrame({"img": images, "type": source.table["tissue"]})
    types.to_csv(out / "types.csv", index=False)
    counts = source.table[list(PATCH_CLASS_NAMES)]
    counts.insert(0, "Image", images)
    counts.to_csv(out / "cell_count.csv", index=False)
    for split in SPLIT_NAMES:
        rows = counts[source.table["split"] == split]
        rows.to_csv(out / f"cell_count_{split}.csv", index=False)


def _write_configuration(source: PatchSource, out: Path) -> None:
    names = ("Background", *PATCH_CLASS_NAMES)
    dataset = {
        "tissue_types": {tissue: number for number, tissue in enumerate(source.tissues)},
        "nuclei_types": {name: number for number, name in enumerate(names)},
    }
    train = source.table[source.table["split"] == SPLIT_NAMES[0]]
    classes = train[list(PATCH_CLASS_NAMES)]
    weights = class_weights(classes.sum().to_numpy(dtype=np.int64), PATCH_CLASS_NAMES.index(OTHER))
    weight = {
        "tissue": {tissue: int((train["tissue"] == tissue).sum()) for tissue in source.tissues},
        "cell": {name: int((classes[name] > 0).sum()) for name in PATCH_CLASS_NAMES},
        "class_weights": {name: float(w) for name, w in zip(names, weights, strict=True)},
    }
    for name, values in (("dataset_config", dataset), ("weight_config", weight)):
        text = yaml.safe_dump(values, sort_keys=False)
        (out / f"{name}.yaml").write_text(text, encoding="utf-8")


def _flaw(
    images: zipfile.ZipFile, labels: zipfile.ZipFile, name: str, counts: pd.Series[Any]
) -> str | None:
    if not _IMAGE_NAME.match(name):
        return "a name that the loader does not take"
    image = png_pixels(images.read(name))
    with np.load(io.BytesIO(labels.read(f"{Path(name).stem}.npz"))) as parts:
        instances, types = (_dense(parts, which) for which in _MAPS)
    if not image.shape[:2] == instances.shape == types.shape:
        return f"an image {image.shape} and labels {instances.shape}, {types.shape}"
    if not np.array_equal(instances > 0, types > 0):
        return "nuclei without a class, or classes without a nucleus"
    nuclei = np.unique(np.stack([instances, types])[:, instances > 0], axis=1)
    if nuclei[0].tolist() != list(range(1, nuclei.shape[1] + 1)):
        return "ids that are not dense, or of two classes"
    drawn = np.bincount(nuclei[1], minlength=len(PATCH_CLASS_NAMES) + 1)[1:]
    return (
        None
        if drawn.tolist() == counts[list(PATCH_CLASS_NAMES)].tolist()
        else "other counts than cell_count.csv"
    )


def _dense(parts: Any, name: str) -> NDArray[np.int32]:
    csr = scipy.sparse.csr_matrix(
        tuple(parts[f"{name}_{part}"] for part in ("data", "indices", "indptr")),
        shape=tuple(parts[f"{name}_shape"]),
    )
    return np.asarray(csr.toarray())


def _check_splits(folder: Path, images: set[str]) -> None:
    splits = [
        set(pd.read_csv(folder / f"cell_count_{split}.csv")["Image"]) for split in SPLIT_NAMES
    ]
    if not set().union(*splits) <= images or sum(map(len, splits)) != len(set().union(*splits)):
        raise InputError(
            f"{folder}: expected every patch in one split at most, found others; export it again"
        )


def _check_configuration(folder: Path, tissues: set[str]) -> None:
    dataset = yaml.safe_load((folder / "dataset_config.yaml").read_text(encoding="utf-8"))
    weight = yaml.safe_load((folder / "weight_config.yaml").read_text(encoding="utf-8"))
    expected = {name: number for number, name in enumerate(("Background", *PATCH_CLASS_NAMES))}
    if (
        dataset["nuclei_types"] != expected
        or set(dataset["tissue_types"]) != tissues
        or set(weight["tissue"]) != tissues
    ):
        raise InputError(
            f"{folder}: expected the classes and tissues of the patches, found {dataset}"
        )
