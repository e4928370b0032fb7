"""The folder ``predictions_{scale}/``: the predicted nuclei of every patch of the grid, in a compact form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sthelar_build.core.predicted_maps import without_unassigned
from sthelar_build.io.instance_maps import SparseMap, instance_map_writer
from sthelar_build.io.map_chunks import MapChunks
from sthelar_build.io.progress import progress
from sthelar_build.io.records import MANIFEST, PROVENANCE, read_record
from sthelar_build.io.tables import check_table, read_table
from sthelar_build.schema.tables import PREDICTED_NUCLEI, PREDICTED_PATCHES

ARRAY = "instances.zarr"
NUCLEI_TABLE = "nuclei.parquet"
PATCHES_TABLE = "patches.parquet"
METHOD = "method"
"""Key of the manifest: how the nuclei were found."""

CELLVIT, HAEMATOXYLIN, SUPPLIED = "cellvit", "haematoxylin", "supplied"
"""The methods."""

_IN_WORDS = {HAEMATOXYLIN: "threshold of the haematoxylin", SUPPLIED: "maps that the sheet names"}
_KEYS = ("side_px", "n_patches", METHOD)


@dataclass(frozen=True)
class Predictions:
    """The predictions of one slide at one scale, read on demand."""

    folder: Path
    manifest: dict[str, Any]
    """``side_px``, ``n_patches``, ``method``, ``network``, counts, and the provenance."""
    chunks: MapChunks
    """The maps on disk."""

    @property
    def n_patches(self) -> int:
        """Number of patches of the grid, also those that were not segmented."""
        return int(self.manifest["n_patches"])

    @property
    def side_px(self) -> int:
        """Side of a patch, in pixels of the scale."""
        return int(self.manifest["side_px"])

    @property
    def method(self) -> str:
        """One of the methods above."""
        return str(self.manifest[METHOD])

    @property
    def segmented_by(self) -> str:
        """The method in words, for people; a network by its architecture and the beginning of its checksum."""
        network = self.manifest.get("network")
        if not network:
            return _IN_WORDS.get(self.method, self.method)
        return f"{network['arch']}, checkpoint {network['sha256'][:8]}"

    @property
    def knows_types(self) -> bool:
        """Whether nuclei have a type, 0 being the background: those of type 0 do not count as nuclei."""
        return self.method == CELLVIT

    @cached_property
    def patches(self) -> pd.DataFrame:
        """The whole ``patches.parquet``, by patch."""
        return read_table(self.folder / PATCHES_TABLE, PREDICTED_PATCHES)

    def each_between(self, start: int, stop: int) -> Iterator[NDArray[np.uint32]]:
        """Yield the maps of the patches ``start`` to ``stop - 1``: 0, ``UNASSIGNED``, or an instance; 0 if not segmented."""
        for piece in self.chunks.between(start, stop):
            yield from piece

    def instances(self, patch_id: int) -> NDArray[np.uint32]:
        """Return the map of one patch."""
        return next(self.each_between(patch_id, patch_id + 1))

    def nuclei_between(self, start: int, stop: int) -> pd.DataFrame:
        """Return the nuclei of the patches ``start`` to ``stop - 1``; reads only their part of the file."""
        filters = [("patch_id", ">=", start), ("patch_id", "<", stop)]
        frame: pd.DataFrame = pq.read_table(self.folder / NUCLEI_TABLE, filters=filters).to_pandas()
        return frame


def open_predictions(folder: Path) -> Predictions:
    """Open a folder of predictions; InputError if it is not whole."""
    manifest = read_record(folder / MANIFEST, _KEYS)
    check_table(folder / NUCLEI_TABLE, PREDICTED_NUCLEI)
    check_table(folder / PATCHES_TABLE, PREDICTED_PATCHES)
    size = int(manifest["n_patches"]), int(manifest["side_px"])
    return Predictions(folder, manifest, MapChunks.of_grid(folder / ARRAY, *size, "segment"))


def write_instance_maps(folder: Path, path: Path) -> None:
    """Write the instances of a folder of predictions in the published layout, one map per patch that was segmented."""
    found = open_predictions(folder)
    segmented = set(found.patches["patch_id"][found.patches["reason"].isna()])
    with instance_map_writer(path, found.manifest[PROVENANCE], found.method) as writer:
        maps = progress(found.each_between(0, found.n_patches), "maps written", found.n_patches)
        for patch_id, instances in enumerate(maps):
            if patch_id in segmented:
                writer.write(patch_id, SparseMap.of(without_unassigned(instances)))
