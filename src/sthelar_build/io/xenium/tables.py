"""The tables of a Xenium bundle: features, cells and transcripts, with the same columns for every version."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sthelar_build.core.encoded_text import encoded, renamed
from sthelar_build.errors import InputError
from sthelar_build.io.hdf5 import UNREADABLE
from sthelar_build.io.xenium.bundle import (
    CELLS,
    FEATURE_MATRIX,
    TRANSCRIPTS,
    UNASSIGNED,
    XeniumBundle,
)
from sthelar_build.io.xenium.sound import check_filled, check_numbers
from sthelar_build.io.xenium.sources import column_names, count_rows, read_batches, read_columns
from sthelar_build.schema.tables import GENE
from sthelar_build.schema.tables import TRANSCRIPTS as OUR_TRANSCRIPTS

UNKNOWN = "unknown"
"""Category of a feature that is neither in the matrix nor named like a control."""

_CATEGORY_OF_TYPE = {
    "Gene Expression": GENE,
    "Negative Control Probe": "negative_control_probe",
    "Negative Control Codeword": "negative_control_codeword",
    "Unassigned Codeword": "unassigned_codeword",
    "Blank Codeword": "unassigned_codeword",
    "Deprecated Codeword": "deprecated_codeword",
    "Genomic Control": "genomic_control_probe",
    "Protein Expression": "protein",
}
_GENE_CATEGORIES = ("predesigned_gene", "custom_gene")
_CATEGORY_OF_PREFIX = {
    "NegControlProbe_": "negative_control_probe",
    "antisense_": "negative_control_probe",
    "NegControlCodeword_": "negative_control_codeword",
    "BLANK_": "unassigned_codeword",
    "UnassignedCodeword_": "unassigned_codeword",
    "DeprecatedCodeword_": "deprecated_codeword",
    "Intergenic_Region_": "genomic_control_probe",
}
_PREFIX = re.compile("|".join(_CATEGORY_OF_PREFIX))
_FEATURE_COLUMNS = ["id", "name", "feature_type"]
ROWS_AT_A_TIME = 2**20
"""Transcripts per batch."""


def read_features(bundle: XeniumBundle) -> pd.DataFrame:
    """Return the rows of the bundle's matrix: ``name``, ``id``, ``category`` (gene or kind of control)."""
    path = bundle.path(FEATURE_MATRIX)
    features = _features_of_text(path) if path.suffix == ".gz" else _features_of_h5(path)
    features["category"] = [
        _CATEGORY_OF_TYPE.get(kind, kind.lower().replace(" ", "_"))
        for kind in features.pop("feature_type")
    ]
    return features


def _features_of_h5(path: Path) -> pd.DataFrame:
    try:
        with h5py.File(path, "r") as file:
            group = file["matrix/features"]
            return pd.DataFrame({key: group[key].asstr()[:] for key in _FEATURE_COLUMNS})
    except UNREADABLE as error:
        raise _broken_matrix(path) from error


def _features_of_text(path: Path) -> pd.DataFrame:
    """Read ``features.tsv.gz``: a line a feature, no header."""
    try:
        return pd.read_csv(path, sep="\t", names=_FEATURE_COLUMNS, dtype=str, na_filter=False)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _broken_matrix(path) from error


def read_cells(bundle: XeniumBundle) -> pd.DataFrame:
    """Return the cells, in the order of the bundle: ``cell_id``, ``x_um``, ``y_um``, ``segmentation_method``."""
    path = bundle.path(CELLS)
    optional = [name for name in ("segmentation_method",) if name in column_names(path)]
    table = read_columns(path, ["cell_id", "x_centroid", "y_centroid", *optional])
    check_filled(path, table, ["cell_id"])
    check_numbers(path, table, ["x_centroid", "y_centroid"])
    cell_ids = as_text(table["cell_id"]).to_pandas()
    if cell_ids.duplicated().any():
        raise InputError(
            f"{path}: expected every cell once, found {cell_ids[cell_ids.duplicated()].iloc[0]} twice; "
            "copy the file again from its source"
        )
    methods = _null_if_empty(as_text(table[optional[0]])).to_pandas() if optional else None
    return pd.DataFrame(
        {
            "cell_id": cell_ids,
            "x_um": table["x_centroid"].to_numpy().astype(np.float64),
            "y_um": table["y_centroid"].to_numpy().astype(np.float64),
            "segmentation_method": methods,
        }
    )


def transcript_batches(
    bundle: XeniumBundle, category_of_feature: Mapping[str, str]
) -> Iterator[pa.Table]:
    """Yield the transcripts in the order of the bundle, about a million at a time.

    Parameters
    ----------
    category_of_feature
        Feature name -> category, for bundles whose transcripts do not say it themselves.

    Yields
    ------
    Tables of ``schema.tables.TRANSCRIPTS``.
    """
    path = bundle.path(TRANSCRIPTS)
    wanted = [*_COLUMN_OF, *{"codeword_category"}.intersection(column_names(path))]
    for batch in read_batches(path, wanted, ROWS_AT_A_TIME, _WORDS):
        check_filled(path, batch, _FILLED)
        check_numbers(path, batch, _NUMBERS)
        yield _as_ours(batch, category_of_feature)


def n_transcripts(bundle: XeniumBundle) -> int:
    """Return the number of decoded molecules, of every category and quality; a csv is read through for it."""
    return count_rows(bundle.path(TRANSCRIPTS))


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers, bytes or any kind of string as strings."""
    return pc.cast(column, pa.string())


def _null_if_empty(column: pa.ChunkedArray | pa.Array) -> Any:
    return pc.if_else(pc.equal(column, ""), _NO_TEXT, column)


_NO_TEXT = pa.scalar(None, pa.string())
_WORDS = ("cell_id", "feature_name", "codeword_category")
_COLUMN_OF = {
    "transcript_id": "transcript_id",
    "cell_id": "cell_id",
    "overlaps_nucleus": "overlaps_nucleus",
    "feature_name": "feature_name",
    "x_location": "x_um",
    "y_location": "y_um",
    "z_location": "z_um",
    "qv": "qv",
}


_NUMBERS = ("x_location", "y_location", "z_location", "qv")
_FILLED = ("transcript_id", "feature_name", "overlaps_nucleus")


def _as_ours(batch: pa.Table, category_of_feature: Mapping[str, str]) -> pa.Table:
    """Words are looked at once per distinct one, not once per transcript."""
    cells = encoded(batch["cell_id"])
    unassigned = pc.is_in(cells.dictionary, value_set=pa.array(UNASSIGNED))
    names = encoded(batch["feature_name"])
    columns = {ours: batch[theirs] for theirs, ours in _COLUMN_OF.items()}
    columns |= {
        "cell_id": renamed(cells, pc.if_else(unassigned, _NO_TEXT, cells.dictionary)),
        "overlaps_nucleus": pc.equal(pc.cast(batch["overlaps_nucleus"], pa.uint8()), 1),
        "feature_name": names,
        "category": _categories(batch, names, category_of_feature),
    }
    return pa.table({name: columns[name] for name in OUR_TRANSCRIPTS.names}).cast(OUR_TRANSCRIPTS)


def _categories(
    batch: pa.Table, names: pa.DictionaryArray, category_of_feature: Mapping[str, str]
) -> pa.DictionaryArray:
    by_name = [
        category_of_feature.get(name) or _category_of_name(name)
        for name in names.dictionary.to_pylist()
    ]
    told = renamed(names, pa.array(by_name, pa.string()))
    if "codeword_category" not in batch.column_names:
        return told
    said = encoded(batch["codeword_category"])
    is_gene = pc.is_in(said.dictionary, value_set=pa.array(_GENE_CATEGORIES))
    said = renamed(said, pc.if_else(is_gene, GENE, _null_if_empty(said.dictionary)))
    if not said.null_count:
        return said
    return pc.coalesce(*(pc.cast(one, pa.string()) for one in (said, told))).dictionary_encode()


def _category_of_name(name: str) -> str:
    prefix = _PREFIX.match(name)
    return _CATEGORY_OF_PREFIX[prefix.group()] if prefix else UNKNOWN


def _broken_matrix(path: Path) -> InputError:
    return InputError(
        f"{path}: expected a 10x feature-barcode matrix, found a broken or truncated file; "
        "copy it again from its source"
    )
