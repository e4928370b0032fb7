"""The patches of the format ``cellvit``: two zips, read at any place; also those of datasets made elsewhere."""

from __future__ import annotations

from pathlib import Path

from sthelar_build.io.cellvit_export import PatchZips, open_export
from sthelar_build.io.patch_readers.reader import PatchMaps, classes_in_order, patch_rows


class CellvitPatches:
    """The patches of a folder ``cellvit``; see ``PatchReader``."""

    def __init__(self, folder: Path) -> None:
        """Read its tables; InputError unless it has all files and they agree."""
        export = open_export(folder)
        split_of = {name: split for split in export.counts for name in export.names(split)}
        self._images = list(export.tissue_of)
        self.patches = patch_rows(
            [Path(image).stem for image in self._images],
            list(export.tissue_of.values()),
            [split_of.get(image) for image in self._images],
        )
        self.class_names = classes_in_order(export.nuclei_types)
        self._zips = PatchZips(folder)

    def read(self, place: int) -> PatchMaps:
        """Return a patch; InputError if it is broken."""
        return PatchMaps(*self._zips.read(self._images[place]))
