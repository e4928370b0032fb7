"""The folder ``evaluation_{scale}/``: a trained network against the masks and labels of one slide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sthelar_build.core.detection import DetectionCounts
from sthelar_build.core.evaluated_tables import parts_of, pq_columns
from sthelar_build.core.model_classes import BACKGROUND, ModelClasses
from sthelar_build.core.model_parts import Part
from sthelar_build.errors import InputError
from sthelar_build.io.provenance import Provenance
from sthelar_build.io.records import MANIFEST, read_record, write_record
from sthelar_build.io.tables import read_parquet_schema, read_table, write_table
from sthelar_build.schema.groupings import GROUPINGS
from sthelar_build.schema.tables import EVALUATED_NUCLEI, EVALUATED_PATCHES

NUCLEI, PATCHES = "nuclei.parquet", "patches.parquet"

COMMON = ("scale", "grouping", "classes", "strangers", "unknown", "evaluated_splits")
"""Keys of the manifest whose values are the same for all slides that are compared."""
_KEYS = ("slide", "network", "splits", *COMMON)


@dataclass(frozen=True)
class Evaluation:
    """One slide."""

    path: Path
    record: dict[str, Any]
    """The manifest."""
    parts: list[Part]
    """Of the splits that have patches."""

    @property
    def slide(self) -> str:
        """Name of the slide."""
        return str(self.record["slide"])


def class_facts(classes: ModelClasses) -> dict[str, Any]:
    """Return what the manifest says of the classes: those of the grouping, and the names that only one side has."""
    return {
        "grouping": classes.grouping.name,
        "classes": {one.name: one.index for one in classes.grouping.classes},
        "strangers": list(classes.strangers),
        "unknown": list(classes.unknown),
    }


def part_facts(part: Part, other: int) -> dict[str, Any]:
    """Return what the manifest says of a split; lists are by code, ``other`` is that of the class Other."""
    counted = {
        name: value.tolist() if isinstance(value, np.ndarray) else int(value)
        for name, value in asdict(part.detection).items()
    }
    return {
        "n_patches": part.n_patches,
        "n_nuclei": part.n_nuclei,
        "scores": as_null(part.scores(other)),
        "confusion": part.counts.tolist(),
        "detection": counted,
    }


def as_null(scores: Mapping[str, float]) -> dict[str, float | None]:
    """Return scores as JSON takes them: what is not defined is null."""
    return {name: None if math.isnan(value) else value for name, value in scores.items()}


def code_names(record: Mapping[str, Any]) -> list[str]:
    """Return the name of every code: background, classes, types of the network that are no class."""
    return [BACKGROUND, *record["classes"], *record["strangers"]]


def write_evaluation(
    folder: Path,
    nuclei: pd.DataFrame,
    patches: pd.DataFrame,
    record: Mapping[str, Any],
    source: Provenance,
) -> None:
    """Write the folder from the frames of ``core.evaluated_tables``; the manifest last."""
    folder.mkdir()
    write_table(folder / NUCLEI, nuclei, EVALUATED_NUCLEI, source)
    pq_fields = [pa.field(name, pa.float64()) for name in pq_columns(list(record["classes"]))]
    write_table(folder / PATCHES, patches, pa.schema([*EVALUATED_PATCHES, *pq_fields]), source)
    write_record(folder / MANIFEST, record, source)


def read_evaluation(manifest: Path) -> Evaluation:
    """Read an evaluation; InputError if it is not whole."""
    record = read_record(manifest, _KEYS)
    if record["grouping"] not in GROUPINGS:
        raise InputError(
            f"{manifest}: expected a grouping of {', '.join(GROUPINGS)}, found {record['grouping']}; evaluate again"
        )
    classes = list(record["classes"])
    columns = ["split", "rna_class", "voted_type", "confidence", "agrees"]
    nuclei = read_table(manifest.parent / NUCLEI, EVALUATED_NUCLEI, columns)
    patches = _read_patches(manifest.parent / PATCHES, classes)
    detection = {name: _counts(split["detection"]) for name, split in record["splits"].items()}
    names = code_names(record)
    parts = parts_of(record["slide"], nuclei, patches, detection, names, len(classes))
    return Evaluation(manifest, record, parts)


def _counts(facts: Mapping[str, Any]) -> DetectionCounts:
    values: dict[str, Any] = {
        name: np.array(value, dtype=np.int64) if isinstance(value, list) else value
        for name, value in facts.items()
    }
    return DetectionCounts(**values)


def _read_patches(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    expected = [*EVALUATED_PATCHES.names, *pq_columns(classes)]
    found = read_parquet_schema(path).names
    if found != expected:
        missing = [name for name in expected if name not in found]
        raise InputError(
            f"{path}: expected the columns {', '.join(expected)}, found no {', '.join(missing) or 'such order'}; "
            "evaluate again"
        )
    frame: pd.DataFrame = pq.read_table(path).to_pandas(ignore_metadata=True)
    return frame
