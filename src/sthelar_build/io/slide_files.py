"""What a whole slide brings to a dataset: its files, and its outlines on the H&E, a few at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from sthelar_build.io.tables import GEOMETRY, check_table, read_table
from sthelar_build.io.transform import Transform, read_transform
from sthelar_build.schema.tables import CELLS, LABELS, NUCLEI
from sthelar_build.sheets import Slide

logger = logging.getLogger(__name__)

_ROWS_AT_A_TIME = 20_000
_DIGITS = 2
"""Of coordinates in H&E px: a hundredth of a pixel is far below what registration can tell."""


@dataclass(frozen=True)
class WholeSlide:
    """A row of the sheet of slides, and where the artefacts of the slide lie."""

    row: Slide
    he: Path
    transform: Path
    nuclei: Path
    cells: Path
    transcripts: Path
    bundle: Path
    labels: Path

    @property
    def name(self) -> str:
        """Name of the slide."""
        return self.row.slide

    @cached_property
    def placed(self) -> Transform:
        """Where the H&E lies."""
        return read_transform(self.transform)

    def label_table(self) -> pd.DataFrame:
        """Read ``labels.parquet``, by ``cell_id``; missing words are None."""
        table = read_table(self.labels, LABELS).set_index("cell_id")
        words = table.select_dtypes(exclude="number").columns
        return table.assign(
            **{name: table[name].astype(object).where(table[name].notna(), None) for name in words}
        )

    def nuclei_on_he(self) -> Iterator[pd.DataFrame]:
        """Yield the nuclei that lie on the H&E, in order, some at a time.

        Columns ``nucleus_id``, ``cell_id``, ``area_um2``, ``geometry`` (H&E px), and those of ``label_table``.
        """
        return self._on_he(self.nuclei, NUCLEI, ["nucleus_id", "cell_id", "area_um2"])

    def cells_on_he(self) -> Iterator[pd.DataFrame]:
        """Yield the cells that have an outline and lie on the H&E; columns as for nuclei, without ``nucleus_id``."""
        return self._on_he(self.cells, CELLS, ["cell_id", "area_um2"])

    def _on_he(self, path: Path, schema: pa.Schema, columns: list[str]) -> Iterator[pd.DataFrame]:
        check_table(path, schema)
        labels = self.label_table()
        kept = total = 0
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_A_TIME, columns=[*columns, GEOMETRY]):
                table = batch.to_pandas()
                shapes = self._placed(shapely.from_wkb(table[GEOMETRY].to_numpy()))
                inside = self._touches_he(shapes)
                part = table.loc[inside, columns].reset_index(drop=True)
                known = labels.loc[part["cell_id"]].reset_index(drop=True)
                yield pd.concat([part, known], axis=1).assign(geometry=shapes[inside])
                kept, total = kept + int(inside.sum()), total + len(table)
        logger.info(
            "%s: kept %d of %d outlines of %s: the others have none, or lie beside the H&E",
            self.name,
            kept,
            total,
            path.stem,
        )

    def _placed(self, shapes: NDArray[Any]) -> NDArray[Any]:
        um_to_he = self.placed.um_to_he
        placed = shapely.transform(shapes, lambda xy: np.round(um_to_he.apply(xy), _DIGITS))
        return np.asarray(placed)

    def _touches_he(self, shapes: NDArray[Any]) -> NDArray[np.bool_]:
        left, top, right, bottom = shapely.bounds(shapes).T
        # NaN, the bounds of what has no outline, compares false.
        across = (right > 0) & (left < self.placed.he_width_px)
        return np.asarray(across & (bottom > 0) & (top < self.placed.he_height_px))
