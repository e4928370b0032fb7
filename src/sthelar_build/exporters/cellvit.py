"""CellViT: images and labels as zips, counts per split, and the two configuration files."""

from __future__ import annotations

import re
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from sthelar_build.core.csr_maps import CsrMap
from sthelar_build.core.map_checks import map_flaw, nuclei_per_class
from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.errors import InputError
from sthelar_build.io.cellvit_export import label_maps
from sthelar_build.io.npz import npz_bytes
from sthelar_build.io.patch_classes import BACKGROUND, PatchClasses
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.io.png import png_bytes, png_pixels
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_patches import Patch
from sthelar_build.io.zips import Entry, packed, zip_writer
from sthelar_build.settings.export import ExportSettings

_IMAGE_NAME = re.compile(r"^([A-Za-z0-9_]+)_\d+\.png")
"""What the loader accepts; the group is the slide."""
_MAPS = ("inst_map", "type_map")
_CHECKED = 200


def write(source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
    """Write one folder that the loader of CellViT for STHELAR takes as it is."""
    out.mkdir()
    classes = PatchClasses(source, settings.grouping)
    with zip_writer(out / "images.zip") as images, zip_writer(out / "labels.zip") as labels:
        pairs = source.each(partial(entries, settings, classes), threads)
        for _, (image, label) in progress(pairs, "images and labels", len(source)):
            images.append(image)
            labels.append(label)
    _write_tables(source, classes, out)
    _write_configuration(source, classes, out)


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
    _check_configuration(folder, set(types["type"]), list(counts.columns[1:]))


def entries(settings: ExportSettings, classes: PatchClasses, patch: Patch) -> tuple[Entry, Entry]:
    """Return image and label of a patch, ready to be written."""
    png = png_bytes(patch.image, settings.png_level)
    types = patch.sparse.mapped(np.append(np.uint8(0), classes.of(patch)))
    label = _label(patch.sparse, types)
    return packed(f"{patch.name}.png", png), packed(
        f"{patch.name}.npz", label, settings.deflate_level
    )


def _label(instances: CsrMap, types: CsrMap) -> bytes:
    parts: dict[str, NDArray[Any]] = {}
    for name, csr in zip(_MAPS, (instances, types), strict=True):
        parts |= {f"{name}_{part}": array for part, array in csr._asdict().items()}
        parts[f"{name}_shape"] = np.array([len(csr.indptr) - 1] * 2, dtype=np.int64)
    return npz_bytes(parts)


def _write_tables(source: PatchSource, classes: PatchClasses, out: Path) -> None:
    images = source.table["name"] + ".png"
    types = pd.DataFrame({"img": images, "type": source.table["tissue"]})
    types.to_csv(out / "types.csv", index=False)
    counts = classes.table.copy()
    counts.insert(0, "Image", images)
    counts.to_csv(out / "cell_count.csv", index=False)
    for split in SPLIT_NAMES:
        rows = counts[source.table["split"] == split]
        rows.to_csv(out / f"cell_count_{split}.csv", index=False)


def _write_configuration(source: PatchSource, classes: PatchClasses, out: Path) -> None:
    dataset = {
        "tissue_types": {tissue: number for number, tissue in enumerate(source.tissues)},
        "nuclei_types": {name: number for number, name in enumerate((BACKGROUND, *classes.names))},
    }
    weight = classes.training_weights()
    for name, values in (("dataset_config", dataset), ("weight_config", weight)):
        text = yaml.safe_dump(values, sort_keys=False)
        (out / f"{name}.yaml").write_text(text, encoding="utf-8")


def _flaw(
    images: zipfile.ZipFile, labels: zipfile.ZipFile, name: str, counts: pd.Series[Any]
) -> str | None:
    if not _IMAGE_NAME.match(name):
        return "a name that the loader does not take"
    image = png_pixels(images.read(name))
    instances, types = label_maps(labels.read(f"{Path(name).stem}.npz"))
    flaw = map_flaw(image.shape, instances, types)
    if flaw:
        return flaw
    drawn = nuclei_per_class(instances, types, len(counts) - 1)
    return (
        None
        if drawn.tolist() == counts.drop("Image").tolist()
        else "other counts than cell_count.csv"
    )


def _check_splits(folder: Path, images: set[str]) -> None:
    splits = [
        set(pd.read_csv(folder / f"cell_count_{split}.csv")["Image"]) for split in SPLIT_NAMES
    ]
    if not set().union(*splits) <= images or sum(map(len, splits)) != len(set().union(*splits)):
        raise InputError(
            f"{folder}: expected every patch in one split at most, found others; export it again"
        )


def _check_configuration(folder: Path, tissues: set[str], classes: list[str]) -> None:
    dataset = yaml.safe_load((folder / "dataset_config.yaml").read_text(encoding="utf-8"))
    weight = yaml.safe_load((folder / "weight_config.yaml").read_text(encoding="utf-8"))
    expected = {name: number for number, name in enumerate((BACKGROUND, *classes))}
    if (
        dataset["nuclei_types"] != expected
        or set(dataset["tissue_types"]) != tissues
        or set(weight["tissue"]) != tissues
    ):
        raise InputError(
            f"{folder}: expected the classes and tissues of the patches, found {dataset}"
        )
