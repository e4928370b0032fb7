"""The classes of the nuclei in a stream of patches, as a grouping names and numbers them."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.class_weights import class_weights
from sthelar_build.core.patches import class_counts, type_map
from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.io.masks import TABLE
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.io.slide_patches import Patch
from sthelar_build.io.tables import read_table
from sthelar_build.schema.groupings import GROUPINGS, Grouping
from sthelar_build.schema.labels import PATCH_CLASSES
from sthelar_build.schema.tables import INSTANCES, LABELS, NUCLEI

Indices = NDArray[np.uint8]
BACKGROUND = "Background"
"""What is no nucleus, where a format names it."""


class PatchClasses:
    """What a grouping makes of the nuclei of a stream; threads may share it."""

    def __init__(self, source: PatchSource, grouping: str) -> None:
        """Take a stream, and the name of a grouping of ``schema.groupings``."""
        self._source = source
        self.grouping: Grouping = GROUPINGS[grouping]
        self._index_of_class = np.array(
            [0, *(self.grouping.index_of(c.name) for c in PATCH_CLASSES)], dtype=np.uint8
        )
        by_nucleus = self.grouping.basis == "label3"
        self._index_of_nucleus = (
            {slide: self._read_nuclei(slide) for slide in source.slides} if by_nucleus else None
        )

    @property
    def names(self) -> list[str]:
        """Names of the classes; class index = position + 1."""
        return self.grouping.names

    def of(self, patch: Patch) -> Indices:
        """Return the class index, from 1, of every instance 1..n of a patch."""
        return self._indices(patch.slide, patch.nucleus_ids, patch.class_of)

    def types(self, patch: Patch) -> Indices:
        """Return the class index of every pixel (y, x) of a patch, 0 is background."""
        return type_map(patch.dense, self.of(patch))

    def counts(self, patch: Patch) -> NDArray[np.uint16]:
        """Return the nuclei of every class in a patch."""
        counted = np.bincount(self.of(patch), minlength=len(self.names) + 1)
        return counted[1:].astype(np.uint16)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Nuclei of every class (columns) in every patch of the stream, row by row as ``source.table``."""
        parts = [self._counts_of_slide(slide) for slide in self._source.slides]
        return pd.DataFrame(np.concatenate(parts), columns=self.names)

    def training_weights(self) -> dict[str, dict[str, Any]]:
        """Return what CellViT's samplers and losses weigh by, from the patches in train.

        ``tissue``: patches of every tissue; ``cell``: patches that show every class; ``class_weights``: of the
        background and every class (``core.class_weights``), Other hardly counting.
        """
        trained = self._source.table["split"] == SPLIT_NAMES[0]
        tissue, counts = self._source.table.loc[trained, "tissue"], self.table[trained]
        nuclei = counts.sum().to_numpy(dtype=np.int64)
        weights = class_weights(nuclei, ignored=self.grouping.other - 1)
        names = (BACKGROUND, *self.names)
        return {
            "tissue": {name: int((tissue == name).sum()) for name in self._source.tissues},
            "cell": {name: int((counts[name] > 0).sum()) for name in self.names},
            "class_weights": {name: float(w) for name, w in zip(names, weights, strict=True)},
        }

    def _indices(self, slide: str, nucleus_ids: NDArray[np.uint32], classes: Indices) -> Indices:
        if self._index_of_nucleus is None:
            return self._index_of_class[classes]
        return self._index_of_nucleus[slide][nucleus_ids]

    def _counts_of_slide(self, slide: str) -> NDArray[np.uint16]:
        table = self._source.table
        patch_ids = pd.Index(table.loc[table["slide"] == slide, "patch_id"])
        path = self._source.files(slide).masks.parent / TABLE
        drawn = read_table(path, INSTANCES, ["patch_id", "nucleus_id", "class_index"])
        row = patch_ids.get_indexer(drawn["patch_id"])
        drawn, row = drawn[row >= 0], row[row >= 0]
        indices = self._indices(
            slide, drawn["nucleus_id"].to_numpy(), drawn["class_index"].to_numpy()
        )
        return class_counts(row, indices, len(patch_ids), len(self.names))

    def _read_nuclei(self, slide: str) -> Indices:
        """Return the class index of every nucleus of a slide, by nucleus id."""
        files = self._source.files(slide)
        nuclei = read_table(files.nuclei, NUCLEI, ["nucleus_id", "cell_id"])
        column = self.grouping.basis
        words = read_table(files.labels, LABELS, ["cell_id", column]).set_index("cell_id")[column]
        index_of = cache(self.grouping.index_of)
        known = words.astype(object).where(words.notna(), None)
        indices = np.zeros(int(nuclei["nucleus_id"].max()) + 1, dtype=np.uint8)
        indices[nuclei["nucleus_id"]] = [index_of(w) for w in known.loc[nuclei["cell_id"]]]
        return indices
