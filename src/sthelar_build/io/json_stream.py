"""The elements of a long JSON list, one after the other, in the memory of one: of a file as it is, gzipped, or zipped."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from sthelar_build.errors import InputError

_CHUNK_CHARS = 2**20
_LARGEST_ELEMENT_CHARS = 2**26
"""A nucleus takes a few thousand; without a limit, a broken file would fill the memory."""
_SPACE = " \t\n\r"


def json_elements(path: Path, key: str, remedy: str) -> Iterator[Any]:
    """Yield the elements of the list that is the file, or that stands under ``key`` of the object that is the file.

    Parameters
    ----------
    path
        JSON; compressed with gzip if it ends in ``.gz``, the one file of an archive if it ends in ``.zip``.
    key
        Name of the list, where the file is an object; other members of the object are left out.
    remedy
        What the user can do about a file that is something else.

    Raises
    ------
    InputError
        If the file is not such, or broken, or has an element of more than 64 MB.
    """
    problem = f"{path}: expected a JSON list, or an object with the list {key}, found "
    try:
        with _text(path, problem, remedy) as file:
            yield from _Reader(file).elements(key)
    except (EOFError, OSError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"{problem}{str(error) or 'an early end'}; {remedy}") from error


@contextmanager
def _text(path: Path, problem: str, remedy: str) -> Iterator[IO[str]]:
    with ExitStack() as files:
        raw: Any = files.enter_context(path.open("rb"))
        if path.suffix == ".gz":
            raw = files.enter_context(gzip.open(raw))
        elif path.suffix == ".zip":
            archive = files.enter_context(zipfile.ZipFile(raw))
            raw = files.enter_context(archive.open(_only_member(archive, problem, remedy)))
        yield files.enter_context(io.TextIOWrapper(raw, encoding="utf-8-sig"))


def _only_member(archive: zipfile.ZipFile, problem: str, remedy: str) -> str:
    """Return the one file of an archive; what macOS adds does not count."""
    names = [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.rsplit("/", 1)[-1].startswith("._")
    ]
    if len(names) != 1:
        raise InputError(f"{problem}an archive of {len(names)} files instead of one; {remedy}")
    return names[0]


class _Reader:
    """Decodes value after value from text that is held only as far as it is needed."""

    def __init__(self, file: IO[str]) -> None:
        self._read: Callable[[int], str] = file.read
        self._held, self._place, self._ended = "", 0, False
        self._decode = json.JSONDecoder().raw_decode

    def elements(self, key: str) -> Iterator[Any]:
        """See ``json_elements``; ValueError says what is wrong."""
        found = False
        if self._next() == "[":
            found = True
            yield from self._list()
        elif self._next() == "{":
            for name in self._names():
                if name == key and self._next() == "[":
                    found = True
                    yield from self._list()
                else:
                    self._value()
        if not found:
            raise ValueError("another kind of JSON")
        if self._next():
            raise ValueError("more text behind its end")

    def _names(self) -> Iterator[str]:
        """Yield the names of an object's members; the caller takes the value of each."""
        self._take("{")
        while self._next() != "}":
            name = self._value()
            self._take(":")
            yield name
            self._comma("}")
        self._take("}")

    def _list(self) -> Iterator[Any]:
        self._take("[")
        while self._next() != "]":
            yield self._value()
            self._comma("]")
        self._take("]")

    def _comma(self, end: str) -> None:
        if self._next() != end:
            self._take(",")
            if self._next() == end:
                raise ValueError(f"a comma before {end}")

    def _take(self, sign: str) -> None:
        if self._next() != sign:
            raise ValueError(f"{self._next()!r} in place of {sign!r}")
        self._place += 1

    def _next(self) -> str:
        """Return the next sign that is no space, without taking it; empty at the end of the file."""
        while True:
            while self._place < len(self._held) and self._held[self._place] in _SPACE:
                self._place += 1
            if self._place < len(self._held) or self._ended:
                return self._held[self._place : self._place + 1]
            self._more(_CHUNK_CHARS)

    def _value(self) -> Any:
        self._next()
        while True:
            try:
                value, end = self._decode(self._held, self._place)
            except json.JSONDecodeError:
                if self._ended:
                    raise
            else:
                # A number at the end of what is held may go on.
                if end < len(self._held) or self._ended:
                    self._place = end
                    return value
            if len(self._held) - self._place > _LARGEST_ELEMENT_CHARS:
                raise ValueError(f"an element of more than {_LARGEST_ELEMENT_CHARS // 2**20} MB")
            # Twice as much every time: a long element is not decoded again and again.
            self._more(max(_CHUNK_CHARS, len(self._held) - self._place))

    def _more(self, n_chars: int) -> None:
        added = self._read(n_chars)
        self._ended = not added
        self._held, self._place = self._held[self._place :] + added, 0
