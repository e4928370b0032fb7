"""Nuclei that ``resegment`` has made, with the cells around them, and what they do to the transcripts."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sthelar_build.core.new_cells import tables_of_new_nuclei
from sthelar_build.core.reassignment import Reassignment
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.schema.tables import RESEGMENTED

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resegmented:
    """What takes the place of the nuclei, the cells and the owners of transcripts of a bundle."""

    source: str
    """Where the nuclei come from: geojson or cellpose."""
    nuclei: pd.DataFrame
    """Columns of ``schema.tables.NUCLEI``."""
    cells: pd.DataFrame
    """Columns of ``schema.tables.CELLS``."""
    reassign: Reassignment
    """Gives batches of transcripts to these cells."""

    def log_transcripts(self, n_transcripts: int) -> None:
        """Say how many transcripts have been given to cells and nuclei."""
        given = self.reassign
        logger.info(
            "transcripts by the new outlines: %d of %d in cells, %d of these in nuclei; in nucleus, cell or neither, %d lie "
            "elsewhere than in the bundle",
            given.n_in_cells,
            n_transcripts,
            given.n_in_nuclei,
            given.n_moved,
        )


def read_resegmented(path: Path, expansion_um: float) -> Resegmented:
    """Read ``resegmented.parquet`` and grow cells around its nuclei, by ``expansion_um`` at most."""
    found = read_table(path, RESEGMENTED)
    source = str(read_attributes(path)["source"])
    method = f"Nuclei of {source}, grown by {expansion_um:g} um"
    nuclei, cells = tables_of_new_nuclei(found, expansion_um, method)
    logger.info(
        "%d nuclei of %s, each with a cell that reaches %g um beyond it; those of the bundle are left out",
        len(nuclei),
        source,
        expansion_um,
    )
    shapes = [table["geometry"].to_numpy() for table in (nuclei, cells)]
    return Resegmented(source, nuclei, cells, Reassignment(cells["cell_id"].to_numpy(), *shapes))
