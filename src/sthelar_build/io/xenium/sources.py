"""A table of the bundle, be it parquet or csv: found, checked, and read by column or as a stream.

Every version writes its tables as parquet; old ones beside it, and public downloads in its place, as ``csv.gz``.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sthelar_build.errors import InputError, first_line
from sthelar_build.io.tables import open_stream, read_parquet_schema

_CSV_SUFFIXES = (".csv.gz", ".csv")
_BLOCK_BYTES = 2**24
_PARQUET_TAIL_BYTES = 8
_TYPE_OF_COLUMN = {
    "transcript_id": pa.uint64(),
    "cell_id": pa.string(),
    "label_id": pa.int64(),
    "overlaps_nucleus": pa.uint8(),
    "feature_name": pa.string(),
    "codeword_category": pa.string(),
    "segmentation_method": pa.string(),
    "x_location": pa.float32(),
    "y_location": pa.float32(),
    "z_location": pa.float32(),
    "vertex_x": pa.float32(),
    "vertex_y": pa.float32(),
    "qv": pa.float32(),
    "x_centroid": pa.float64(),
    "y_centroid": pa.float64(),
}
"""What a csv does not say: the types that parquet has. A guess from the first rows would fail on later ones."""


def find_table(folder: Path, name: str) -> Path | None:
    """Return the file of a table, ``name`` being that of its parquet: parquet first, then csv; None if there is none."""
    stem = name.removesuffix(".parquet")
    names = (name, *(stem + suffix for suffix in _CSV_SUFFIXES))
    return next((folder / n for n in names if (folder / n).exists()), None)


def is_csv(path: Path) -> bool:
    """Whether the table is a csv, packed or not."""
    return path.name.endswith(_CSV_SUFFIXES)


def column_names(path: Path) -> list[str]:
    """Return the names of the columns; InputError if the table is broken."""
    with _as_input_error(path):
        if not is_csv(path):
            return list(read_parquet_schema(path).names)
        with _open_csv(path) as reader:
            return list(reader.schema.names)


def has_integers(path: Path, column: str) -> bool:
    """Whether a column holds whole numbers: by its type, or in a csv by its first row."""
    if not is_csv(path):
        return bool(pa.types.is_integer(read_parquet_schema(path).field(column).type))
    first = next(read_batches(path, [column], 1), None)
    values = first[column].to_pylist() if first else []
    return bool(values) and values[0].removeprefix("-").isdigit()


def read_columns(
    path: Path, columns: Sequence[str], dictionary_columns: Sequence[str] = ()
) -> pa.Table:
    """Read some columns, whole; those of text that are named come as dictionaries. InputError if damaged."""
    with _as_input_error(path):
        if not is_csv(path):
            table = pq.read_table(
                path, columns=list(columns), read_dictionary=list(dictionary_columns)
            )
            return _whole(table)
        with _open_csv(path, columns) as reader:
            return reader.read_all()


def read_batches(
    path: Path, columns: Sequence[str], rows: int, dictionary_columns: Sequence[str] = ()
) -> Iterator[pa.Table]:
    """Yield some columns, ``rows`` at a time, in order; InputError if damaged.

    Columns of text that are named come as dictionaries from parquet, which keeps them so: that is much faster.
    """
    with _as_input_error(path):
        if is_csv(path):
            with _open_csv(path, columns) as reader:
                yield from _of_size((pa.Table.from_batches([b]) for b in reader), rows)
            return
        words = [name for name in dictionary_columns if name in columns]
        with open_stream(path, words) as file:
            batches = file.iter_batches(rows, columns=list(columns))
            yield from _of_size((_whole(pa.Table.from_batches([b])) for b in batches), rows)


def _whole(table: pa.Table) -> pa.Table:
    """Raise ArrowInvalid on damaged text or dictionaries, which come through the reader and fail far from here."""
    table.validate(full=True)
    return table


def count_rows(path: Path) -> int:
    """Return the number of rows. A csv is read to its end, which also shows that it is whole."""
    if not is_csv(path):
        return int(pq.read_metadata(path).num_rows)
    opened = gzip.open if path.name.endswith(".gz") else open
    lines, last = 0, b"\n"
    with _as_input_error(path), opened(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            lines, last = lines + block.count(b"\n"), block[-1:]
    return max(lines + (last != b"\n") - 1, 0)


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """Raise InputError if a column is missing, or a parquet file has no numbers in one or is cut short, anywhere."""
    found = column_names(path)
    missing = [name for name in columns if name not in found]
    if missing:
        raise InputError(
            f"{path}: expected the columns {', '.join(columns)}, found no {', '.join(missing)} "
            f"among {', '.join(found)}; copy the file again from its source"
        )
    if not is_csv(path):
        _check_types(path, columns)
        _check_length(path)


def _check_types(path: Path, columns: Sequence[str]) -> None:
    schema = read_parquet_schema(path)
    for name in columns:
        kind, wanted = schema.field(name).type, _TYPE_OF_COLUMN.get(name)
        numeric = pa.types.is_floating(kind) or pa.types.is_integer(kind)
        if wanted is not None and pa.types.is_floating(wanted) and not numeric:
            raise InputError(
                f"{path}: expected numbers in the column {name}, found {kind}; copy the file again from its source"
            )


def _check_length(path: Path) -> None:
    metadata = pq.read_metadata(path)
    data_bytes = path.stat().st_size - metadata.serialized_size - _PARQUET_TAIL_BYTES
    if _end_of_data(metadata) > data_bytes:
        raise InputError(
            f"{path}: expected {_end_of_data(metadata)} bytes of data, found {data_bytes}: "
            "a part is missing; copy the file again from its source"
        )


def _end_of_data(metadata: pq.FileMetaData) -> int:
    """Where the last column chunk ends, as the footer says: a hole in the file moves the footer up."""
    ends = [0]
    for row_group in range(metadata.num_row_groups):
        group = metadata.row_group(row_group)
        chunk = group.column(group.num_columns - 1)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        ends.append(start + chunk.total_compressed_size)
    return max(ends)


@contextmanager
def _open_csv(
    path: Path, columns: Sequence[str] | None = None
) -> Iterator[pyarrow.csv.CSVStreamingReader]:
    """Open a csv as a stream of batches, unpacked as it is read."""
    convert = pyarrow.csv.ConvertOptions(
        column_types=_TYPE_OF_COLUMN, include_columns=list(columns) if columns else None
    )
    read = pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES)
    # From a path the stream unpacks by suffix, and says so if the file ends too early.
    with (
        pa.input_stream(str(path)) as stream,
        pyarrow.csv.open_csv(stream, read_options=read, convert_options=convert) as reader,
    ):
        yield reader


def _of_size(batches: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Join and cut tables so that all but the last have ``rows`` rows."""
    held: list[pa.Table] = []
    for batch in batches:
        held.append(batch)
        if sum(table.num_rows for table in held) >= rows:
            table = pa.concat_tables(held)
            whole = table.num_rows // rows * rows
            for start in range(0, whole, rows):
                yield table.slice(start, rows).unify_dictionaries().combine_chunks()
            held = [table.slice(whole)]
    table = pa.concat_tables(held) if held else None
    if table is not None and table.num_rows:
        yield table.unify_dictionaries().combine_chunks()


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, ValueError, zlib.error) as error:
        what = "csv" if is_csv(path) else "parquet pages"
        raise InputError(
            f"{path}: expected whole {what}, found damage ({first_line(error)}); "
            "copy the file again from its source"
        ) from error
