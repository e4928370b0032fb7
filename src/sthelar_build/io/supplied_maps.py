"""Instance maps that someone else has predicted, taken over for the patches of a slide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from sthelar_build.core.predicted_maps import PredictedPatch, nuclei_of
from sthelar_build.errors import InputError
from sthelar_build.io.he_blocks import Block
from sthelar_build.io.instance_maps import InstanceMaps, open_instance_maps


@dataclass(frozen=True)
class SuppliedMaps:
    """The maps of one slide; threads may share them."""

    maps: InstanceMaps
    side_px: int

    @property
    def patch_ids(self) -> list[int]:
        """The patches that have a map, ascending."""
        return self.maps.patch_ids

    def find(self, block: Block) -> list[PredictedPatch]:
        """Return the patches of a block; InputError if a map is broken or of another size."""
        return [self._patch(int(row.patch_id)) for row in block.rows]

    def _patch(self, patch_id: int) -> PredictedPatch:
        instances = self.maps.read(patch_id, self.side_px).dense().view(np.uint32)
        return PredictedPatch(patch_id, instances, nuclei_of(instances))


@contextmanager
def open_supplied_maps(
    path: Path, slide: str, side_px: int, n_patches: int
) -> Iterator[SuppliedMaps]:
    """Open the maps of a slide; InputError if they are of another grid of patches."""
    with open_instance_maps(path, slide) as maps:
        foreign = [n for n in maps.patch_ids if n >= n_patches]
        if foreign:
            raise InputError(
                f"{path}: expected patches 0 to {n_patches - 1}, found {foreign[0]}; "
                "predict on the patches of this slide and scale"
            )
        yield SuppliedMaps(maps, side_px)


def n_supplied_patches(path: Path, slide: str) -> int:
    """Return how many patches of a slide have a map; InputError if the file is no h5 of instance maps."""
    if not path.is_file():
        raise InputError(f"{path}: expected an h5 of instance maps, found no file; check the path")
    names = _names_in_h5(path)
    if not any(name.endswith("_data") for name in names):
        raise InputError(
            f"{path}: expected instance maps in an h5 (datasets such as 17_data, 17_indices, 17_indptr, 17_shape), "
            f"found {', '.join(names[:3]) or 'none'}; give the h5 of the segmentation"
        )
    with open_instance_maps(path, slide) as maps:
        return len(maps.patch_ids)


def _names_in_h5(path: Path) -> list[str]:
    if not h5py.is_hdf5(path):
        return []
    with h5py.File(path, "r") as file:
        return list(file)
