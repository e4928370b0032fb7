"""``transcripts.parquet`` as a stream: it may hold hundreds of millions of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sthelar_build.errors import InputError
from sthelar_build.io.tables import check_table, open_stream
from sthelar_build.schema.tables import TRANSCRIPTS

ROWS_AT_A_TIME = 2**20
_WORDS = ("cell_id", "feature_name", "category")


def transcript_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield some columns of the transcripts, about a million rows at a time; InputError where it is no such file, or damaged."""
    check_table(path, TRANSCRIPTS)
    try:
        with open_stream(path, [name for name in _WORDS if name in columns]) as file:
            yield from file.iter_batches(ROWS_AT_A_TIME, columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path}: expected whole parquet pages, found damage; delete it and ingest the bundle again"
        ) from error


def count_batches(path: Path) -> int:
    """Return how many batches there are."""
    return -(-int(pq.read_metadata(path).num_rows) // ROWS_AT_A_TIME)
