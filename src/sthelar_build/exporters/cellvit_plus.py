"""CellViT++: a folder to train and one to test, a label file per image, and one fold of stems."""

from __future__ import annotations

import io
import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from sthelar_build.core.map_checks import map_flaw
from sthelar_build.errors import InputError
from sthelar_build.io.patch_classes import PatchClasses
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.io.png import png_bytes, png_pixels
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_patches import Patch
from sthelar_build.settings.export import ExportSettings

logger = logging.getLogger(__name__)

_FOLDERS = {"train": "train", "valid": "train", "test": "test"}
"""Folder of every split: the loader takes the validation set from the folder to train."""
_LISTS = {"train": "train.csv", "valid": "val.csv"}
_FOLD = Path("splits") / "fold_0"
_SIDE_STEP_PX = 32
_CHECKED = 200


def write(source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
    """Write ``{train,test}/{images,labels}/``, ``splits/fold_0/``, ``label_map.yaml`` and ``weight_config.yaml``.

    Patches that are in no split are left out: the layout has no place for them.
    """
    _check_side(source)
    classes = PatchClasses(source, settings.grouping)
    for folder in ("train", "test"):
        for kind in ("images", "labels"):
            (out / folder / kind).mkdir(parents=True)
    files = progress(source.each(partial(_files, settings, classes), threads), "files", len(source))
    for patch, (png, npy) in files:
        if patch.split is not None:
            half = out / _FOLDERS[patch.split]
            (half / "images" / f"{patch.name}.png").write_bytes(png)
            (half / "labels" / f"{patch.name}.npy").write_bytes(npy)
    _write_lists(source, out / _FOLD)
    label_map = {"labels": {one.index: one.name for one in classes.grouping.classes}}
    for stem, values in (("label_map", label_map), ("weight_config", classes.training_weights())):
        text = yaml.safe_dump(values, sort_keys=False)
        (out / f"{stem}.yaml").write_text(text, encoding="utf-8")


def validate(folder: Path) -> None:
    """Raise InputError unless images, labels and lists agree as the loader expects.

    Of many labels, 200 evenly spread ones of each folder are opened.
    """
    labels = yaml.safe_load((folder / "label_map.yaml").read_text(encoding="utf-8"))["labels"]
    stems = {name: _stems(folder / name) for name in ("train", "test")}
    listed = [
        (folder / _FOLD / name).read_text(encoding="utf-8").split() for name in _LISTS.values()
    ]
    if sorted([*listed[0], *listed[1]]) != stems["train"]:
        raise InputError(
            f"{folder}: expected every image of train/ once in {_FOLD}/, found others; export it again"
        )
    for name, found in stems.items():
        for row in np.unique(np.linspace(0, max(len(found) - 1, 0), _CHECKED).astype(int)):
            flaw = _flaw(folder / name, found[row], set(labels)) if found else None
            if flaw:
                raise InputError(f"{folder / name}: {found[row]}: found {flaw}; export it again")


def _check_side(source: PatchSource) -> None:
    if source.side_px % _SIDE_STEP_PX:
        raise InputError(
            f"cellvit_plus: expected patches whose side is a multiple of {_SIDE_STEP_PX} px, found "
            f"{source.side_px} px; change tile.side_px, or leave the format out"
        )
    kept = int(source.table["split"].notna().sum())
    logger.info("kept %d of %d patches: the others are in no split", kept, len(source))


def _files(settings: ExportSettings, classes: PatchClasses, patch: Patch) -> tuple[bytes, bytes]:
    """Return image and label of a patch; nothing of one that is in no split."""
    if patch.split is None:
        return b"", b""
    return png_bytes(patch.image, settings.png_level), _label(patch.dense, classes.types(patch))


def _label(dense: NDArray[np.int32], types: NDArray[np.uint8]) -> bytes:
    """Return what ``np.load(..., allow_pickle=True).item()`` reads as a dictionary of two maps."""
    content = io.BytesIO()
    maps: Any = {"inst_map": dense, "type_map": types.astype(np.int32)}
    np.save(content, maps, allow_pickle=True)  # noqa: TID251 -- to memory
    return content.getvalue()


def _write_lists(source: PatchSource, folder: Path) -> None:
    folder.mkdir(parents=True)
    for split, name in _LISTS.items():
        stems = source.table.loc[source.table["split"] == split, "name"]
        (folder / name).write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")


def _stems(folder: Path) -> list[str]:
    images, labels = (
        sorted(path.stem for path in (folder / kind).glob(f"*.{suffix}"))
        for kind, suffix in (("images", "png"), ("labels", "npy"))
    )
    if images != labels:
        raise InputError(
            f"{folder}: expected one label for every image, found others; export it again"
        )
    return images


def _flaw(folder: Path, stem: str, labels: set[int]) -> str | None:
    image = png_pixels((folder / "images" / f"{stem}.png").read_bytes())
    # Written by us a moment ago: the format is a pickled dictionary.
    label = np.load(folder / "labels" / f"{stem}.npy", allow_pickle=True).item()
    instances, types = label["inst_map"], label["type_map"]
    unknown = set(np.unique(types[types > 0]).tolist()) - labels
    if image.shape[0] % _SIDE_STEP_PX or image.shape[1] % _SIDE_STEP_PX:
        return f"an image {image.shape} whose sides are no multiples of {_SIDE_STEP_PX}"
    return (
        f"classes {sorted(unknown)} that label_map.yaml lacks"
        if unknown
        else map_flaw(image.shape, instances, types)
    )
