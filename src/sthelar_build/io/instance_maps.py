"""Instance maps in HDF5, in the published layout: four datasets per patch, the parts of a CSR matrix."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.hdf5 import UNREADABLE
from sthelar_build.io.provenance import KEY, Provenance, provenance_json

METHOD = "method"
"""Root attribute: how the maps were made."""

_PARTS = ("data", "indices", "indptr", "shape")
_NAME = re.compile(rf"(?:(?P<slide>[A-Za-z0-9_]+)_)?(?P<patch>\d+)_(?P<part>{'|'.join(_PARTS)})")
_LARGEST_ID = 2**24
"""Float32 holds no larger run of whole numbers."""


@dataclass(frozen=True)
class SparseMap:
    """The foreground of an instance map as CSR; small enough to pass between processes."""

    data: NDArray[np.float32]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]
    shape: tuple[int, int]

    @classmethod
    def of(cls, instances: NDArray[Any]) -> SparseMap:
        """Compress a map (y, x) of ids from 0 to 2**24."""
        if instances.size and instances.max() > _LARGEST_ID:
            raise ValueError(f"expected ids up to {_LARGEST_ID}, got {instances.max()}")
        rows, columns = np.nonzero(instances)
        ends = np.cumsum(np.bincount(rows, minlength=instances.shape[0]))
        return cls(
            data=instances[rows, columns].astype(np.float32),
            indices=columns.astype(np.int32),
            indptr=np.concatenate([[0], ends]).astype(np.int32),
            shape=(instances.shape[0], instances.shape[1]),
        )

    def dense(self) -> NDArray[np.int32]:
        """Return the map (y, x), int32."""
        instances = np.zeros(self.shape, dtype=np.int32)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        instances[rows, self.indices] = self.data
        return instances

    def flaw(self) -> str | None:
        """Return what is wrong with the parts, in words; None if they make a map."""
        height, width = self.shape
        if (
            len(self.indptr) != height + 1
            or self.indptr[0] != 0
            or (np.diff(self.indptr) < 0).any()
        ):
            return "row pointers that do not fit its shape"
        if not self.indptr[-1] == len(self.indices) == len(self.data):
            return "parts of different lengths"
        if len(self.indices) and (self.indices.min() < 0 or self.indices.max() >= width):
            return "columns outside its shape"
        if len(self.data) and (self.data.min() < 0 or (self.data % 1 != 0).any()):
            return "ids that are negative or not whole"
        return None


class InstanceMapWriter:
    """Writes one map after the other; see ``instance_map_writer``."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, patch_id: int, instances: SparseMap) -> None:
        """Write the map of a patch that has none yet."""
        for part, dtype in (("data", "f4"), ("indices", "i4"), ("indptr", "i4"), ("shape", "i8")):
            values = np.asarray(getattr(instances, part), dtype=dtype)
            self._file.create_dataset(f"{patch_id}_{part}", data=values)


@contextmanager
def instance_map_writer(path: Path, source: Provenance, method: str) -> Iterator[InstanceMapWriter]:
    """Open a writer; the file appears at ``path`` when the block succeeds."""
    with (
        published(path) as draft,
        # Given a path, HDF5 ends the process when so many small pieces meet a full disk; through Python it is an error.
        draft.open("x+b") as raw,
        h5py.File(raw, "w", libver="latest") as file,
    ):
        file.attrs[KEY] = provenance_json(source)
        file.attrs[METHOD] = method
        yield InstanceMapWriter(file)


class InstanceMaps:
    """The maps of one slide in an open file; see ``open_instance_maps``."""

    def __init__(self, path: Path, file: Any, stems: dict[int, str]) -> None:
        self._path, self._file, self._stems = path, file, stems

    @property
    def patch_ids(self) -> list[int]:
        """The patches that have a map, ascending."""
        return sorted(self._stems)

    @property
    def method(self) -> str:
        """How the maps were made; ``unknown`` if the file does not say."""
        return str(self._file.attrs.get(METHOD, "unknown"))

    def __contains__(self, patch_id: int) -> bool:
        return patch_id in self._stems

    def read(self, patch_id: int, side_px: int) -> SparseMap:
        """Return the map of a patch; InputError if it is broken or not of side ``side_px``."""
        stem = self._stems[patch_id]
        try:
            parts = {part: np.asarray(self._file[f"{stem}_{part}"][()]) for part in _PARTS}
            shape = tuple(int(n) for n in parts.pop("shape"))
        except UNREADABLE as error:
            raise _broken(self._path) from error
        if any(part.ndim != 1 or part.dtype.kind not in "iuf" for part in parts.values()):
            raise InputError(
                f"{self._path}: patch {stem}: expected lists of numbers, found something else; write the file again"
            )
        if shape != (side_px, side_px):
            raise InputError(
                f"{self._path}: patch {stem}: expected a map of {side_px} x {side_px} px, found {shape}; "
                "predict on the patches of this scale"
            )
        instances = SparseMap(**parts, shape=(side_px, side_px))
        flaw = instances.flaw()
        if flaw:
            raise InputError(f"{self._path}: patch {stem}: found {flaw}; write the file again")
        return instances


@contextmanager
def open_instance_maps(path: Path, slide: str | None = None) -> Iterator[InstanceMaps]:
    """Open the maps of a slide.

    Datasets are named ``{patch_id}_{part}`` or ``{slide}_{patch_id}_{part}``. A file of several slides needs
    ``slide`` to be one of them.
    """
    try:
        file = h5py.File(path, "r")
    except UNREADABLE as error:
        raise _broken(path) from error
    with file:
        yield InstanceMaps(path, file, _stems(path, _names(path, file), slide))


def _names(path: Path, file: Any) -> list[str]:
    try:
        return [str(name) for name in file]
    except UNREADABLE as error:
        raise _broken(path) from error


def _broken(path: Path) -> InputError:
    found = "another or a broken one" if path.is_file() else "nothing"
    return InputError(
        f"{path}: expected an HDF5 file of instance maps, found {found}; make or copy it again"
    )


def _stems(path: Path, names: list[str], slide: str | None) -> dict[int, str]:
    slides: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            raise InputError(
                f"{path}: expected datasets {{patch_id}}_{{{','.join(_PARTS)}}}, found {name!r}; rename them"
            )
        stem = name.removesuffix(f"_{match['part']}")
        slides[match["slide"] or ""][int(match["patch"])].append(stem)
    patches = slides[_prefix(path, sorted(slides), slide)]
    for stems in patches.values():
        if stems != [stems[0]] * len(_PARTS):
            raise InputError(
                f"{path}: patch {stems[0]}: expected one dataset each of {', '.join(_PARTS)}, found "
                f"{len(stems)}; write the file again"
            )
    return {patch_id: stems[0] for patch_id, stems in patches.items()}


def _prefix(path: Path, prefixes: list[str], slide: str | None) -> str:
    if slide in prefixes:
        return str(slide)
    if len(prefixes) > 1:
        raise InputError(
            f"{path}: expected maps of one slide or of {slide!r}, found those of {', '.join(prefixes)}; "
            "name the datasets after the slide"
        )
    return prefixes[0] if prefixes else ""
