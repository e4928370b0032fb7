"""Xenium Explorer: groups of cells as csv, one file each for class, fine type and cluster."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from sthelar_build.errors import InputError
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_files import WholeSlide
from sthelar_build.schema.labels import CLASSES
from sthelar_build.settings.export_slides import ExportSlidesSettings

logger = logging.getLogger(__name__)

ON_HE = False
GROUPS = ("final_label", "label2", "cluster")
"""Columns of ``labels.parquet``, a file each."""

_COLOURS = {one.name: one.hex_colour for one in CLASSES}


def write(
    slides: list[WholeSlide], out: Path, settings: ExportSlidesSettings, threads: int
) -> None:
    """Write ``{slide}_{final_label,label2,cluster}.csv``: ``cell_id``, ``group``, and for classes ``color``.

    Cells without a group, such as those below the count threshold of the clusters, are left out: Explorer shows
    them as unassigned. Fine types and clusters have no colour of ours; Explorer gives them one.
    """
    out.mkdir()
    for slide in progress(slides, "slides", len(slides)):
        labels = slide.label_table()
        for column in GROUPS:
            groups = labels[column].dropna()
            logger.info(
                "%s: kept %d of %d cells: the others have no %s",
                slide.name,
                len(groups),
                len(labels),
                column,
            )
            table = pd.DataFrame({"cell_id": groups.index, "group": groups.to_numpy()})
            if column == "final_label":
                table["color"] = table["group"].map(_COLOURS)
            table.to_csv(out / f"{slide.name}_{column}.csv", index=False)


def validate(folder: Path) -> None:
    """Raise InputError unless every file names each cell once, with a group, and colours are #rrggbb, one a group."""
    for path in sorted(folder.glob("*.csv")):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        flaw = _flaw(table)
        if flaw:
            raise InputError(f"{path}: found {flaw}; export it again")


def _flaw(table: pd.DataFrame) -> str | None:
    if list(table.columns) not in (["cell_id", "group"], ["cell_id", "group", "color"]):
        return f"the columns {', '.join(table.columns)}"
    if not table["cell_id"].is_unique:
        return "a cell in two groups"
    if (table["group"] == "").any():
        return "a cell without a group"
    if "color" not in table:
        return None
    good = table["color"].str.fullmatch("#[0-9a-f]{6}").all()
    one_each = (table.groupby("group")["color"].nunique() == 1).all()
    return None if good and one_each else "colours that are no #rrggbb, or several for a group"
