"""Alignments as users have them: a 3x3 matrix, pairs of keypoints, or the zip of Xenium Explorer."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.affine import are_collinear
from sthelar_build.core.placement import Keypoints
from sthelar_build.errors import InputError
from sthelar_build.io.foreign_zips import foreign_zip, read_member
from sthelar_build.schema.frames import Affine, Frame

KEYPOINT_COLUMNS = ("fixedX", "fixedY", "alignmentX", "alignmentY")
"""Columns of the keypoints of Xenium Explorer: morphology px, then H&E px."""

_MIN_KEYPOINTS = 3
_LARGEST = 1e9
_MOST_BYTES = 2**20
_MOST_TABLES = 10
_EXPORT = "export it again from Xenium Explorer"


@dataclass(frozen=True, eq=False)
class Alignment:
    """What an alignment file says; at least one of both is there."""

    matrix: Affine | None
    """Level-0 H&E px to morphology px."""
    keypoints: Keypoints | None


def read_alignment(path: Path) -> Alignment:
    """Read an alignment; what it is, its content says and not its name.

    Raises
    ------
    InputError
        If it is neither a header-less 3x3 csv, a csv with the keypoint columns, nor a zip that holds one of
        each at most; or if the map that it describes does not exist.
    """
    if is_zipfile(path):
        with foreign_zip(path, _MOST_BYTES) as archive:
            return _from_zip(path, archive)
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        found = "nothing" if isinstance(error, FileNotFoundError) else error.strerror
        raise InputError(
            f"{path}: expected an alignment file, found {found}; check the path"
        ) from error
    if len(content) > _MOST_BYTES:
        raise InputError(
            f"{path}: expected an alignment file of some kilobytes, found more than {_MOST_BYTES} bytes; {_EXPORT}"
        )
    return _from_csv(str(path), content)


def _from_zip(path: Path, archive: ZipFile) -> Alignment:
    names = [name for name in archive.namelist() if _is_table(name)]
    if len(names) > _MOST_TABLES:
        raise InputError(
            f"{path}: expected one matrix csv, one keypoints csv, or both in the zip, found {len(names)} tables; {_EXPORT}"
        )
    found = [
        _from_csv(f"{path}: {name}", read_member(path, archive, name, _MOST_BYTES))
        for name in names
    ]
    matrices = [part.matrix for part in found if part.matrix]
    keypoints = [part.keypoints for part in found if part.keypoints]
    if not found or len(matrices) > 1 or len(keypoints) > 1:
        raise InputError(
            f"{path}: expected one matrix csv, one keypoints csv, or both in the zip, found "
            f"{', '.join(names) or 'no csv'}; {_EXPORT}"
        )
    return Alignment(next(iter(matrices), None), next(iter(keypoints), None))


def _is_table(name: str) -> bool:
    file = PurePosixPath(name)
    return file.suffix.lower() == ".csv" and not any(p.startswith((".", "__")) for p in file.parts)


def _from_csv(name: str, data: bytes) -> Alignment:
    try:
        text = data.decode("utf-8-sig")
        rows = [[c.strip() for c in row] for row in csv.reader(io.StringIO(text)) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{name}: expected a csv in UTF-8, found none; {_EXPORT}") from error
    if rows and set(KEYPOINT_COLUMNS) & set(rows[0]):
        return Alignment(None, _keypoints(name, rows))
    return Alignment(_matrix(name, rows), None)


def _matrix(name: str, rows: list[list[str]]) -> Affine:
    widths = sorted({len(row) for row in rows})
    if len(rows) != 3 or widths != [3]:
        shape = f"{len(rows)} rows of {' or '.join(map(str, widths)) or 'no'} columns"
        raise InputError(
            f"{name}: expected a header-less 3x3 matrix (H&E px to morphology px), found {shape}; {_EXPORT}"
        )
    matrix = _numbers(name, rows)
    if not np.allclose(matrix[2], [0, 0, 1]):
        raise InputError(
            f"{name}: expected 0, 0, 1 in the last row, found {', '.join(rows[2])}; {_EXPORT}"
        )
    linear = matrix[:2, :2]
    if abs(np.linalg.det(linear)) <= 1e-9 * np.square(linear).sum():
        raise InputError(
            f"{name}: expected a matrix that can be inverted, found a singular one; {_EXPORT}"
        )
    return Affine(matrix, Frame.HE, Frame.MORPHOLOGY)


def _keypoints(name: str, rows: list[list[str]]) -> Keypoints:
    header, points = rows[0], rows[1:]
    missing = [column for column in KEYPOINT_COLUMNS if column not in header]
    if missing or any(len(row) != len(header) for row in points):
        found = f"no {', '.join(missing)}" if missing else "rows of different lengths"
        raise InputError(
            f"{name}: expected the columns {', '.join(KEYPOINT_COLUMNS)}, found {found}; {_EXPORT}"
        )
    if len(points) < _MIN_KEYPOINTS:
        raise InputError(
            f"{name}: expected at least {_MIN_KEYPOINTS} keypoints, found {len(points)}; add some in Xenium Explorer"
        )
    places = [header.index(column) for column in KEYPOINT_COLUMNS]
    table = _numbers(name, [[row[place] for place in places] for row in points])
    fixed, he = table[:, :2], table[:, 2:]
    if are_collinear(fixed) or are_collinear(he):
        raise InputError(
            f"{name}: expected keypoints spread over the slide, found all on one line; add one beside it"
        )
    return fixed, he


def _numbers(name: str, rows: list[list[str]]) -> NDArray[np.float64]:
    try:
        values = np.array([[float(cell) for cell in row] for row in rows], dtype=np.float64)
    except ValueError as error:
        raise InputError(
            f"{name}: expected numbers, found otherwise: {error}; {_EXPORT}"
        ) from error
    if not (np.abs(values) < _LARGEST).all():
        raise InputError(
            f"{name}: expected finite numbers below {_LARGEST:g}, found nan, inf or larger ones; {_EXPORT}"
        )
    return values
