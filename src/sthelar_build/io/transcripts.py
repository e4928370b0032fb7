"""``transcripts.parquet`` as a stream: it may hold hundreds of millions of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from sthelar_build.errors import InputError
from sthelar_build.io.tables import open_stream

ROWS_AT_A_TIME = 2**20
_WORDS = ("cell_id", "feature_name", "category")


def transcript_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield some columns of the transcripts, about a million rows at a time; InputError where the file is damaged."""
    try:
        with open_stream(path, [name for name in _WORDS if name in columns]) as file:
            yield from file.iter_batches(ROWS_AT_A_TIME, columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path}: expected whole parquet pages, found damage; delete it and ingest the bundle again"
        ) from error
