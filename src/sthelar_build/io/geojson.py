"""GeoJSON feature collections, one feature a line, written and read as a stream; plain, or compressed with gzip."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import shapely
from numpy.typing import NDArray

from sthelar_build.errors import InputError

_HEAD = '{"type":"FeatureCollection","features":['
_TAIL = "]}"
_GZIP_LEVEL = 6


def feature(identifier: str, geometry: str, properties: Any) -> str:
    """Return one feature as JSON; ``geometry`` is JSON already."""
    rest = json.dumps(properties, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f'{{"type":"Feature","id":"{identifier}","geometry":{geometry},"properties":{rest}}}'


def geometries_json(shapes: NDArray[Any]) -> list[str]:
    """Return an array of geometries as JSON each, with as many digits as they have."""
    return [str(text) for text in shapely.to_geojson(shapes)]


def write_features(path: Path, features: Iterable[str]) -> int:
    """Write a feature collection and return its size; a path that ends in ``.gz`` is compressed.

    The same features give the same bytes. The caller publishes the file.
    """
    n = 0
    with _writer(path) as file:
        file.write(_HEAD)
        for n, text in enumerate(features, start=1):
            file.write(f"{',' if n > 1 else ''}\n{text}")
        file.write(f"\n{_TAIL}\n")
    return n


def read_features(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the features of a file of ``write_features``; InputError if it is another, or damaged."""
    problem = f"{path}: expected a feature collection with a feature a line, found "
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if _packed(path)
            else path.open(encoding="utf-8") as file
        ):
            if file.readline().strip() != _HEAD:
                raise InputError(f"{problem}another beginning; export it again")
            line = file.readline().strip()
            while line and line != _TAIL:
                yield json.loads(line.removesuffix(","))
                line = file.readline().strip()
            if line != _TAIL:
                raise InputError(f"{problem}no end; export it again")
    except (EOFError, OSError, ValueError) as error:
        raise InputError(f"{problem}{error}; export it again") from error


def _packed(path: Path) -> bool:
    return path.suffix == ".gz"


@contextmanager
def _writer(path: Path) -> Iterator[IO[str]]:
    with path.open("xb") as raw:
        if not _packed(path):
            with io.TextIOWrapper(raw, encoding="utf-8", newline="\n") as text:
                yield text
            return
        # Neither name nor time: the same content gives the same bytes.
        with (
            gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
        ):
            yield text
