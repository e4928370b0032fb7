"""The patches of the format ``pannuke``: compressed arrays, of which single rows are read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from sthelar_build.core.patches import maps_of_channels
from sthelar_build.errors import InputError
from sthelar_build.io.npz import stored_arrays
from sthelar_build.io.npz_rows import NpzRows
from sthelar_build.io.patch_readers.reader import PatchMaps, classes_in_order, patch_rows
from sthelar_build.io.splits import read_splits
from sthelar_build.schema.pannuke import IMAGES, MASKS, PATCH_IDS, TYPES

_CLASSES, _SPLITS = "classes.json", "splits.parquet"
_ALL_ROWS = 2**40


class PannukePatches:
    """The patches of a folder ``pannuke``; see ``PatchReader``.

    Their splits are those of ``splits.parquet`` in the folder above; without that file no patch is in any. Instances
    are numbered class by class, as the format does not keep their order.
    """

    def __init__(self, folder: Path) -> None:
        """Find the patches; InputError unless every file was written by ``export``."""
        paths = sorted(folder.glob("*.npz"))
        numbers: dict[str, int] = json.loads((folder / _CLASSES).read_text(encoding="utf-8"))
        self.class_names = classes_in_order(numbers)
        self._rows: list[tuple[NpzRows, NpzRows]] = []
        names: list[str] = []
        tissues: list[str] = []
        for path in paths:
            arrays = stored_arrays(path)
            missing = sorted({IMAGES, MASKS, TYPES, PATCH_IDS} - set(arrays))
            if missing:
                raise InputError(
                    f"{path}: expected the arrays of PanNuke, found no {', '.join(missing)}; export it again"
                )
            self._rows.append((NpzRows(arrays[IMAGES]), NpzRows(arrays[MASKS])))
            for texts, name in ((names, PATCH_IDS), (tissues, TYPES)):
                texts += [str(t) for chunk in arrays[name].chunks(_ALL_ROWS) for t in chunk]
        lengths = [len(images) for images, _ in self._rows]
        self._first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        split_of = _splits(folder.parent / _SPLITS)
        self.patches = patch_rows(names, tissues, [split_of.get(name) for name in names])

    def read(self, place: int) -> PatchMaps:
        """Return a patch; InputError if it is broken."""
        file = int(np.searchsorted(self._first, place, side="right")) - 1
        images, masks = self._rows[file]
        row = place - int(self._first[file])
        return PatchMaps(images[row], *maps_of_channels(masks[row]))


def _splits(path: Path) -> dict[str, str]:
    """Return the split of every patch that is in one, by name."""
    if not path.is_file():
        return {}
    table, _ = read_splits(path)
    table = table[table["split"].notna()]
    names = table["slide"] + "_" + table["patch_id"].astype(str)
    return dict(zip(names, table["split"], strict=True))
