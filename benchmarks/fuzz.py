"""Every parser of files of others against damaged and invented ones: read, or refused in one line; nothing else.

Each parser starts from a good file; some bytes are flipped, cut, doubled or replaced by awkward words. What raises
anything but InputError or ConfigError is kept in ``--keep`` and makes the script fail, as does an input that takes
longer than ``--seconds`` or more than 4 GB of memory. Every try runs in a process of its own, so that a crash of a
library counts as well.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from cases.parsers import PARSERS, Parser, seeds

from sthelar_build.errors import SthelarError

_MEMORY_BYTES = 8 * 2**30
_TRIES_PER_PROCESS = 200
_WORDS = (
    b"nan", b"-1", b"1e999", b'"', b"\t", b",", b"\n", b"\r\n", b"\x00", b"null", b"{}", b"[]", b"99999999999999999999",
    b"\xff\xfe", b"../", b"true",
)  # fmt: skip


def damaged(seed: bytes, rng: np.random.Generator) -> bytes:
    """Return a seed with one to four pieces of damage."""
    content = bytearray(seed)
    for _ in range(rng.integers(1, 5)):
        place = int(rng.integers(0, len(content) + 1))
        kind = rng.integers(0, 5)
        if kind == 0 and place < len(content):
            content[place] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            content[place : place + 4] = rng.bytes(4)
        elif kind == 2:
            del content[place : place + int(rng.integers(1, 40))]
        elif kind == 3:
            content[place:place] = _WORDS[int(rng.integers(0, len(_WORDS)))]
        else:
            content[place:place] = content[place : place + int(rng.integers(1, 40))]
    return bytes(content)


def _try_some(name: str, seed: bytes, start: int, keep: Path, done: object) -> None:
    """Try damaged inputs; note in ``done`` (tried, refused, failed) how far it came."""
    parser: Parser = PARSERS[name]
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(start, start + _TRIES_PER_PROCESS):
            content = damaged(seed, np.random.default_rng([number, len(seed)]))
            path = Path(scratch) / parser.file
            path.write_bytes(content)
            (keep / f"{name}_now").write_bytes(content)
            try:
                parser.read(path)
            except SthelarError as error:
                done[1] += 1
                if "\n" in str(error):
                    _keep(keep, name, number, content, "two lines")
                    done[2] += 1
            except BaseException as error:  # noqa: BLE001
                _keep(keep, name, number, content, f"{type(error).__name__}: {str(error)[:160]}")
                done[2] += 1
            done[0] += 1


def _keep(keep: Path, name: str, number: int, content: bytes, what: str) -> None:
    (keep / f"{name}_{number}").write_bytes(content)
    print(f"  {name} {number}: {what}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.2, help="for each parser")
    parser.add_argument("--seconds", type=float, default=60, help="limit of a process of 200 tries")
    parser.add_argument("--parser", choices=sorted(PARSERS), nargs="*", default=sorted(PARSERS))
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz")
    arguments = parser.parse_args()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("fork")
    n_bad = 0
    print(f"{'parser':24}{'tried':>9}{'read':>9}{'refused':>9}{'bad':>6}")
    for name, seed in seeds(arguments.parser).items():
        total, start, end = np.zeros(3, int), 0, time.monotonic() + 60 * arguments.minutes
        while time.monotonic() < end:
            done = context.Array("l", 3)
            job = (name, seed, start, arguments.keep, done)
            process = context.Process(target=_try_some, args=job)
            process.start()
            process.join(arguments.seconds)
            if process.exitcode != 0:
                how = "too slow" if process.exitcode is None else f"died of {process.exitcode}"
                print(f"  {name} after {start + done[0]}: {how}", flush=True)
                process.kill()
                process.join()
                done[2] += 1
                done[0] += 1
            total += done[:]
            start += _TRIES_PER_PROCESS
        n_bad += total[2]
        tried, refused, bad = total
        print(f"{name:24}{tried:9}{tried - refused - bad:9}{refused:9}{bad:6}", flush=True)
    raise SystemExit(int(n_bad > 0))


if __name__ == "__main__":
    main()
