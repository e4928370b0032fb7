"""The patches of the format ``huggingface``: parquet shards, read by their groups of rows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.reader import PatchMaps, classes_in_order, patch_rows
from sthelar_build.io.png import png_pixels
from sthelar_build.io.records import read_record

_IMAGES = ["image", "instance_map", "type_map"]


class HuggingfacePatches:
    """The patches of a folder ``huggingface``; see ``PatchReader``.

    One group of rows (100 patches, some ten megabytes) stays in memory in every process: patches that follow each other
    are read fast, patches at random by a group each.
    """

    def __init__(self, folder: Path) -> None:
        """Read the tables; InputError unless its manifest lies beside them."""
        numbers = read_record(folder / "manifest.json", ["classes"])["classes"]
        self.class_names = classes_in_order(numbers)
        self._groups: list[tuple[Path, int]] = []
        self._first = [0]
        names: list[str] = []
        tissues: list[str] = []
        splits: list[str | None] = []
        for path in sorted((folder / "data").glob("*.parquet")):
            file = pq.ParquetFile(path)
            table = file.read(columns=["file_name", "tissue"])
            names += [Path(name).stem for name in table["file_name"].to_pylist()]
            tissues += _tissues(file.schema_arrow, table["tissue"])
            split = path.name.partition("-")[0]
            splits += [split if split in SPLIT_NAMES else None] * len(table)
            for group in range(file.num_row_groups):
                self._groups.append((path, group))
                self._first.append(self._first[-1] + file.metadata.row_group(group).num_rows)
        self.patches = patch_rows(names, tissues, splits)
        self._kept: tuple[int, int, pa.Table | None] = (-1, -1, None)

    def read(self, place: int) -> PatchMaps:
        """Return a patch; InputError if it is broken."""
        number = int(np.searchsorted(self._first, place, side="right")) - 1
        row = self._group(number).slice(place - self._first[number], 1)
        try:
            image, instances, types = (
                png_pixels(row[name][0]["bytes"].as_py()) for name in _IMAGES
            )
        except (ValueError, OSError) as error:
            raise InputError(
                f"{self._groups[number][0]}: expected pictures in every row, found {error}; export it again"
            ) from error
        return PatchMaps(image, instances.astype(np.int32), types.astype(np.uint8))

    def __getstate__(self) -> dict[str, Any]:
        """Leave the rows behind when a worker gets its copy."""
        return {**self.__dict__, "_kept": (-1, -1, None)}

    def _group(self, number: int) -> Any:
        process, kept, table = self._kept
        if table is None or (process, kept) != (os.getpid(), number):
            path, group = self._groups[number]
            table = pq.ParquetFile(path).read_row_group(group, columns=_IMAGES)
            self._kept = (os.getpid(), number, table)
        return table


def _tissues(schema: pa.Schema, column: pa.ChunkedArray) -> list[str]:
    """Return the names of the tissues that the features of the file number."""
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    names = features["tissue"]["names"]
    return [names[number] for number in column.to_pylist()]
