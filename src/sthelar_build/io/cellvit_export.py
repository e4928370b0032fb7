"""A dataset in the format ``cellvit`` as it lies on disk: its tables, and its patches out of the zips."""

from __future__ import annotations

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse
import yaml
from numpy.typing import NDArray

from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.errors import InputError
from sthelar_build.io.png import png_pixels
from sthelar_build.io.records import read_record

_TABLES = ("types.csv", "dataset_config.yaml", "weight_config.yaml")
_ZIPS = ("images.zip", "labels.zip")
_FILES = (*_TABLES, *_ZIPS, *(f"cell_count_{split}.csv" for split in SPLIT_NAMES))


class LabelledPatch(NamedTuple):
    """One patch and what is true of it."""

    image: NDArray[np.uint8]
    """(h, w, 3)."""
    instances: NDArray[np.int32]
    """(h, w): 0 background, else the instance."""
    types: NDArray[np.uint8]
    """(h, w): class index of the pixel, 0 background."""
    tissue: int


@dataclass(frozen=True)
class Export:
    """The tables of one dataset."""

    folder: Path
    nuclei_types: dict[str, int]
    """Class name -> index; Background is 0."""
    tissue_types: dict[str, int]
    tissue_of: dict[str, str]
    """Image name -> tissue."""
    counts: dict[str, pd.DataFrame]
    """Split -> nuclei of every class (columns) in every patch (index: image name)."""
    weights: dict[str, dict[str, float]]
    """What ``weight_config.yaml`` says: ``tissue``, ``cell``, ``class_weights``."""
    um_per_px: float | None
    """Median over the slides, of our manifest; None for a dataset made elsewhere."""

    def names(self, split: str) -> list[str]:
        """Return the image names of a split, in the order of its table."""
        return [str(name) for name in self.counts[split].index]

    def tissue(self, name: str) -> int:
        """Return the number of the tissue of a patch."""
        return self.tissue_types[self.tissue_of[name]]


def open_export(folder: Path) -> Export:
    """Read the tables of a dataset; InputError unless it has all files and they agree."""
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder}: expected a dataset in the format cellvit, found no {', '.join(missing)}; export it again"
        )
    config, weights = (_yaml(folder / name) for name in _TABLES[1:])
    types = pd.read_csv(folder / "types.csv")
    counts = {
        split: pd.read_csv(folder / f"cell_count_{split}.csv", index_col="Image")
        for split in SPLIT_NAMES
    }
    tissue_of = dict(zip(types["img"], types["type"], strict=True))
    _check(folder, config, set(tissue_of), counts)
    return Export(
        folder,
        config["nuclei_types"],
        config["tissue_types"],
        tissue_of,
        counts,
        weights,
        _um_per_px(folder),
    )


def _um_per_px(folder: Path) -> float | None:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return None
    slides = read_record(manifest, ["slides"])["slides"].values()
    return float(np.median([slide["um_per_px"] for slide in slides])) if slides else None


def _yaml(path: Path) -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: expected a YAML table, found other text; export it again"
        ) from error


def _check(
    folder: Path, config: dict[str, Any], known: set[str], counts: dict[str, pd.DataFrame]
) -> None:
    for key in ("nuclei_types", "tissue_types"):
        numbers = sorted(config.get(key, {}).values())
        if not numbers or numbers != list(range(len(numbers))):
            raise InputError(
                f"{folder / 'dataset_config.yaml'}: expected {key} numbered from 0 without gaps, found {numbers}"
            )
    for split, table in counts.items():
        strangers = set(table.index) - known
        if strangers:
            raise InputError(
                f"{folder / f'cell_count_{split}.csv'}: expected patches of types.csv, found {min(strangers)}; "
                "export it again"
            )


class PatchZips:
    """Opens the two archives once in every process that reads from them, so that workers share no file handle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = -1
        self._archives: list[zipfile.ZipFile] = []

    def read(self, name: str) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.uint8]]:
        """Return image, instance map and type map of a patch; InputError if it is not there or is broken."""
        images, labels = self._opened()
        try:
            image = png_pixels(images.read(name))
            instances, types = label_maps(labels.read(f"{Path(name).stem}.npz"))
        except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise InputError(
                f"{self.folder}: {name}: expected an image and its label, found {error}; export it again"
            ) from error
        if image.shape[:2] != instances.shape or instances.shape != types.shape:
            raise InputError(
                f"{self.folder}: {name}: expected an image and two maps of one size, "
                f"found {image.shape}, {instances.shape}, {types.shape}; export it again"
            )
        return image, instances, types.astype(np.uint8)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open files behind when a worker gets its copy."""
        return {"folder": self.folder, "_process": -1, "_archives": []}

    def _opened(self) -> list[zipfile.ZipFile]:
        if self._process != os.getpid():
            self._archives = [zipfile.ZipFile(self.folder / name) for name in _ZIPS]
            self._process = os.getpid()
        return self._archives


def label_maps(content: bytes) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return instance map and type map of the npz of a patch."""
    with np.load(io.BytesIO(content)) as parts:
        return _dense(parts, "inst_map"), _dense(parts, "type_map")


def _dense(parts: Any, name: str) -> NDArray[np.int32]:
    pieces = tuple(parts[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    csr = scipy.sparse.csr_matrix(pieces, shape=tuple(parts[f"{name}_shape"]))
    return np.asarray(csr.toarray(), dtype=np.int32)
