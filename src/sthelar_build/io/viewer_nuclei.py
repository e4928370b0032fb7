"""The labelled nuclei of a slide as files that a page opens from disk: blocks of outlines, and an overview of dots.

A page that was opened from disk may not read files, but it may load scripts: every file calls a function with its bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sthelar_build.core.coded_outlines import CodedOutlines, coded_outlines
from sthelar_build.core.nucleus_blocks import (
    NO_CLUSTER,
    block_side_px,
    blocks_of,
    packed,
    packed_overview,
)
from sthelar_build.core.spread_rows import spread_rows
from sthelar_build.errors import InputError
from sthelar_build.io.tables import geometry_batches, read_table
from sthelar_build.io.transform import Transform
from sthelar_build.schema.labels import CLASSES
from sthelar_build.schema.tables import LABELS, NUCLEI
from sthelar_build.settings.outline import OutlineSettings

OVERVIEW = "overview.js"
_WORDS = ("cluster", "label2", "decided_by")
_SHORT = 2**16 - 1


@dataclass(frozen=True)
class ViewerNuclei:
    """The nuclei that lie on the H&E, in level-0 px of it."""

    table: pd.DataFrame
    """``cell_id``, ``x_px``, ``y_px``, ``confidence``, and the numbers ``class_index``, ``cluster``, ``fine``, ``decided``."""
    outlines: CodedOutlines
    words: dict[str, list[str]]
    """What the numbers of ``cluster``, ``label2`` (fine) and ``decided_by`` stand for."""
    n_off_image: int
    """Nuclei that lie beyond the edge of the H&E."""


def read_viewer_nuclei(nuclei: Path, labels: Path, placed: Transform) -> ViewerNuclei:
    """Read nuclei with labels and outlines, few shapes at a time; InputError if one has no label."""
    found = read_table(nuclei, NUCLEI, ["cell_id", "x_um", "y_um"])
    known = ["cell_id", "final_label", "confidence", *_WORDS]
    called = read_table(labels, LABELS, known).set_index("cell_id").reindex(found["cell_id"])
    if called["final_label"].isna().any():
        raise InputError(
            f"{nuclei}: expected a label in {labels} for every cell, found "
            f"{called['final_label'].isna().sum()} nuclei without one; use tables of one run"
        )
    centres = placed.um_to_he.apply(found[["x_um", "y_um"]].to_numpy(np.float64))
    size = np.array([placed.he_width_px, placed.he_height_px])
    on_image = ((centres >= 0) & (centres < size)).all(axis=1)
    numbers = {column: pd.Categorical(called[column]) for column in _WORDS}
    table = pd.DataFrame(
        {
            "cell_id": found["cell_id"],
            "x_px": centres[:, 0],
            "y_px": centres[:, 1],
            "confidence": called["confidence"].to_numpy(),
            "class_index": called["final_label"].map(_CLASS_INDEX).to_numpy(np.uint8),
            "cluster": _numbers(numbers["cluster"]),
            "fine": numbers["label2"].codes,
            "decided": numbers["decided_by"].codes,
        }
    )
    rows = np.flatnonzero(on_image)
    return ViewerNuclei(
        table=table.iloc[rows].reset_index(drop=True),
        outlines=_outlines(nuclei, placed, centres).take(rows),
        words={column: [str(word) for word in kind.categories] for column, kind in numbers.items()},
        n_off_image=int((~on_image).sum()),
    )


def write_viewer_nuclei(
    folder: Path, nuclei: ViewerNuclei, placed: Transform, settings: OutlineSettings
) -> dict[str, Any]:
    """Write all files, and return what the page has to know of them. The caller publishes the folder."""
    side_px = block_side_px(settings.block_um, placed.he_um_per_px)
    unit_px = max(placed.he_width_px, placed.he_height_px) / _SHORT
    blocks = dict(_write_blocks(folder, nuclei, side_px))
    shown = spread_rows(
        nuclei.table["cluster"].to_numpy(),
        settings.overview_nuclei,
        settings.least_of_cluster,
        settings.seed,
    )
    dots = packed_overview(nuclei.table.iloc[shown], unit_px)
    _write_call(folder / OVERVIEW, "viewerOverview", _text(dots))
    counts = Counter(nuclei.table["class_index"].tolist())
    return {
        "n_nuclei": len(nuclei.table),
        "n_off_image": nuclei.n_off_image,
        "n_overview": len(shown),
        "overview_unit_px": unit_px,
        "block_px": side_px,
        "blocks": blocks,
        "classes": [
            {"index": c.index, "name": c.name, "colour": c.hex_colour, "n": counts[c.index]}
            for c in CLASSES
        ],
        **nuclei.words,
    }


_CLASS_INDEX = {known.name: known.index for known in CLASSES}


def _outlines(nuclei: Path, placed: Transform, centres: np.ndarray) -> CodedOutlines:
    def coded() -> Iterator[CodedOutlines]:
        first = 0
        for batch in geometry_batches(nuclei):
            shapes = placed.um_to_he.apply_to_geometries(batch)
            yield coded_outlines(shapes, centres[first : first + len(batch)])
            first += len(batch)

    return CodedOutlines.joined(coded())


def _numbers(clusters: pd.Categorical) -> np.ndarray:
    codes = clusters.codes.astype(np.int64)
    return np.where(codes < 0, NO_CLUSTER, codes)


def _write_blocks(folder: Path, nuclei: ViewerNuclei, side_px: int) -> Iterator[tuple[str, int]]:
    """Write the blocks; yield name and number of nuclei of each."""
    places = nuclei.table[["x_px", "y_px"]].to_numpy()
    for block in blocks_of(places, side_px):
        name, rows = f"{block.column}_{block.row}", block.nuclei
        table = nuclei.table.iloc[rows]
        corner = block.column * side_px, block.row * side_px
        data = packed(table, nuclei.outlines.take(rows), *corner)
        _write_call(
            folder / f"{name}.js", "viewerBlock", name, table["cell_id"].tolist(), _text(data)
        )
        yield name, len(rows)


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _write_call(path: Path, function: str, *values: Any) -> None:
    words = ",".join(json.dumps(value, separators=(",", ":")) for value in values)
    path.write_text(f"{function}({words});\n", encoding="ascii")
