"""The tables of a Xenium bundle: features, cells and transcripts, with the same columns for every version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sthelar_build.errors import InputError
from sthelar_build.io.xenium.bundle import (
    CELLS,
    FEATURE_MATRIX,
    TRANSCRIPTS,
    UNASSIGNED,
    XeniumBundle,
)
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
ROWS_AT_A_TIME = 2**20
"""Transcripts per batch."""


def read_features(bundle: XeniumBundle) -> pd.DataFrame:
    """Return the rows of the bundle's matrix: ``name``, ``id``, ``category`` (gene or kind of control)."""
    try:
        with h5py.File(bundle.path(FEATURE_MATRIX), "r") as file:
            group = file["matrix/features"]
            columns = {key: group[key].asstr()[:] for key in ("name", "id", "feature_type")}
    except (OSError, KeyError) as error:
        raise _broken_matrix(bundle.path(FEATURE_MATRIX)) from error
    features = pd.DataFrame(columns)
    features["category"] = [
        _CATEGORY_OF_TYPE.get(kind, kind.lower().replace(" ", "_"))
        for kind in features.pop("feature_type")
    ]
    return features


def read_cells(bundle: XeniumBundle) -> pd.DataFrame:
    """Return the cells, in the order of the bundle: ``cell_id``, ``x_um``, ``y_um``, ``segmentation_method``."""
    path = bundle.path(CELLS)
    names = pq.read_schema(path).names
    optional = [name for name in ("segmentation_method",) if name in names]
    table = read_parquet(path, ["cell_id", "x_centroid", "y_centroid", *optional])
    cell_ids = as_text(table["cell_id"]).to_pandas()
    if cell_ids.duplicated().any():
        raise InputError(
            f"{path}: expected every cell once, found {cell_ids[cell_ids.duplicated()].iloc[0]} twice; "
            "copy the file again from its source"
        )
    methods = as_text(table[optional[0]]).to_pandas() if optional else None
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
    try:
        with pq.ParquetFile(path) as file:
            wanted = [*_COLUMN_OF, *{"codeword_category"}.intersection(file.schema_arrow.names)]
            for batch in file.iter_batches(ROWS_AT_A_TIME, columns=wanted):
                yield _as_ours(pa.Table.from_batches([batch]), category_of_feature)
    except (pa.ArrowInvalid, OSError) as error:
        raise _broken_parquet(path, error) from error


def n_transcripts(bundle: XeniumBundle) -> int:
    """Return the number of decoded molecules, of every category and quality."""
    return int(pq.read_metadata(bundle.path(TRANSCRIPTS)).num_rows)


def read_parquet(
    path: Path, columns: list[str], dictionary_columns: list[str] | None = None
) -> pa.Table:
    """Read columns of a vendor's table; InputError if its pages are broken."""
    try:
        return pq.read_table(path, columns=columns, read_dictionary=dictionary_columns or [])
    except (pa.ArrowInvalid, OSError) as error:
        raise _broken_parquet(path, error) from error


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers, bytes or any kind of string as strings."""
    return pc.cast(column, pa.string())


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


def _as_ours(batch: pa.Table, category_of_feature: Mapping[str, str]) -> pa.Table:
    cell_ids = as_text(batch["cell_id"])
    unassigned = pc.is_in(cell_ids, value_set=pa.array(UNASSIGNED))
    names = as_text(batch["feature_name"]).combine_chunks().dictionary_encode()
    columns = {ours: batch[theirs] for theirs, ours in _COLUMN_OF.items()}
    columns |= {
        "cell_id": pc.if_else(unassigned, pa.scalar(None, pa.string()), cell_ids),
        "overlaps_nucleus": pc.equal(batch["overlaps_nucleus"], 1),
        "feature_name": names,
        "category": _categories(batch, names, category_of_feature),
    }
    return pa.table({name: columns[name] for name in OUR_TRANSCRIPTS.names}).cast(OUR_TRANSCRIPTS)


def _categories(
    batch: pa.Table, names: pa.DictionaryArray, category_of_feature: Mapping[str, str]
) -> pa.Array:
    if "codeword_category" in batch.column_names:
        said = as_text(batch["codeword_category"]).combine_chunks()
        is_gene = pc.is_in(said, value_set=pa.array(_GENE_CATEGORIES))
        return pc.if_else(is_gene, GENE, said).dictionary_encode()
    by_name = [
        category_of_feature.get(name) or _category_of_name(name)
        for name in names.dictionary.to_pylist()
    ]
    return pa.array(by_name, pa.string()).take(names.indices).dictionary_encode()


def _category_of_name(name: str) -> str:
    prefix = _PREFIX.match(name)
    return _CATEGORY_OF_PREFIX[prefix.group()] if prefix else UNKNOWN


def _broken_matrix(path: Path) -> InputError:
    return InputError(
        f"{path}: expected a 10x feature-barcode matrix, found a broken or truncated file; "
        "copy it again from its source"
    )


def _broken_parquet(path: Path, error: Exception) -> InputError:
    reason = str(error).splitlines()[0]
    return InputError(
        f"{path}: expected whole parquet pages, found damage ({reason}); copy the file again from its source"
    )
