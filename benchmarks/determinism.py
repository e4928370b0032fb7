"""Build a small slide several times, and compare all files byte by byte: cores, shards, and the same again."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from small_run import write_small_run

RUNS = {
    "2 cores": (),
    "2 cores again": (),
    "1 core": ("--cores", "1"),
    "7 shards": ("--config", "shards=7"),
}


def main() -> None:
    arguments = _arguments()
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for number, (name, words) in enumerate(RUNS.items()):
            run = write_small_run(Path(folder) / str(number))
            run.finish_or_exit(*words)
            found[name] = run.digests()
            print(
                f"{name}: {len(found[name])} files, {_different(found['2 cores'], found[name])}",
                flush=True,
            )
    sys.exit(any(digests != found["2 cores"] for digests in found.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the runs take place (a temporary one)")
    return parser.parse_args()


def _different(expected: dict[str, str], found: dict[str, str]) -> str:
    names = sorted(expected.keys() | found.keys())
    wrong = [name for name in names if expected.get(name) != found.get(name)]
    return f"different: {', '.join(wrong)}" if wrong else "the same"


if __name__ == "__main__":
    main()
