"""What describes a dataset: ``card.md`` for people, ``index.html`` to look at, ``croissant.json`` for search engines."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from sthelar_build.io.croissant import write_croissant
from sthelar_build.io.pages import write_card, write_page
from sthelar_build.io.provenance import Provenance, provenance_json

_ABOUT = {
    "patch_metrics.csv": "Place of every patch in its slide (px of the scale), and its agreement with nuclei segmented in the image.",
    "cell_count.csv": "Nuclei of every class in the mask of every patch.",
    "types.csv": "Tissue of every patch.",
    "splits.parquet": "Split of every patch of every slide, or why it is in none.",
    "class_consistency.csv": "Share and markers of every class on every slide, compared with the slides beside it.",
    "marker_means.csv": "Means of the markers that all panels share, per slide and class: log2(1 + counts per 10,000).",
}
_KEYS = {
    "patch_metrics.csv": ["patch_id"],
    "cell_count.csv": ["Image"],
    "types.csv": ["img"],
    "splits.parquet": ["slide", "patch_id"],
    "class_consistency.csv": ["slide", "class"],
    "marker_means.csv": ["slide", "class", "gene"],
}


def write_descriptions(
    folder: Path,
    values: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    downloads: Mapping[str, Mapping[str, Any]],
    source: Provenance,
) -> list[str]:
    """Describe a dataset.

    Parameters
    ----------
    folder
        Where the dataset lies; its tables and downloads are there already.
    values
        What the templates ``card.md.j2`` and ``dataset.html`` show, and ``url``, ``creators``, ``date_published``, ``citation``.
    tables
        The tables of the dataset by file name.
    downloads
        All other files of the dataset; see ``write_croissant``.
    source
        Provenance of the dataset, shown on the card.

    Returns
    -------
    What Croissant 1.0 requires and is not known.
    """
    sizes = [{"name": name, "bytes": (folder / name).stat().st_size} for name in tables]
    values = {**values, "tables": sizes}
    write_card(folder / "card.md", "card.md.j2", {**values, "provenance": provenance_json(source)})
    write_page(folder / "index.html", "dataset.html", values)
    tissues = sorted({str(slide["tissue"]) for slide in values["slides"]})
    facts = {
        "name": values["title"],
        "description": f"H&E patches of {values['side_px']} px at {values['scale']} with nuclei and cell types from Xenium.",
        "version": version("sthelar_build"),
        "license": values["licence"],
        "url": values["url"],
        "creator": values["creators"],
        "datePublished": values["date_published"],
        "citeAs": values["citation"],
        "keywords": ["histology", "H&E", "cell types", "Xenium", *tissues],
    }
    return write_croissant(folder / "croissant.json", facts, tables, _ABOUT, _KEYS, downloads)


def table_names() -> list[str]:
    """Return the file names of the tables that can be described, in order."""
    return list(_ABOUT)
