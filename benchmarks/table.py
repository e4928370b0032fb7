"""The table of all measures: registration, annotation, Tangram, patches, metrics, CellViT, counting, rasterising, tiling, workflow.

Each row is a figure of another benchmark, run here in a process of its own with ``--json``; what it measures and how is said at its head.
Ours and theirs come from one run, side by side. By default three sizes that together take some minutes; ``--full`` takes the sizes of real
slides. What cannot run, because a package or the toy slides are not there, is named below the table. It is written to
``benchmarks/results.md``, but for ``--only``, which shows some measures.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from figures import Figure, read_figures
from measured import run_measured

HERE = Path(__file__).parent
OUT = HERE / "results.md"
TOY = Path("resources/toy/toy_breast")
HEAD = "| measure | size | unit | ours | theirs | ratio | theirs is | MB ours | MB theirs | |"
RULE = "|---|---|---|---:|---:|---:|---|---:|---:|---|"


@dataclass(frozen=True)
class Run:
    """A benchmark that gives figures."""

    script: str
    quick: tuple[str, ...] = ()
    """Options that bound its time."""
    full: tuple[str, ...] = ()
    needs_toy: bool = False
    """It needs the toy slides (``make toy``)."""


RUNS = {
    "accuracy": Run("accuracy.py", needs_toy=True),
    "tangram": Run("mapping.py", ("--cells", "1000", "2500", "5000", "--slide-cells", "100000")),
    "patches": Run("patches.py", ("--sides", "3456", "6912", "10368", "--loop-patches", "150"), needs_toy=True),
    "strips": Run("rasterise.py"),
    "metrics": Run("agreement.py"),
    "cellvit": Run("cellvit.py", ("--rounds", "1")),
    "counting": Run(
        "counting.py",
        ("--millions", "0.7", "2", "5", "--peers", "sopa", "sjoin", "polars"),
        ("--millions", "2", "7", "20"),
        needs_toy=True,
    ),
    "public": Run("public.py", ("--drawn", "1024", "2048", "4096")),
    "workflow": Run("overheads.py", ("--repeats", "1")),
}  # fmt: skip


def main() -> None:
    arguments = _arguments()
    start = time.perf_counter()
    found: list[Figure] = []
    left_out: list[str] = []
    for name in arguments.only or RUNS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures, why = _figures(RUNS[name], arguments.full)
        found += figures
        left_out += [f"{name}: {line}" for line in why]
    minutes = (time.perf_counter() - start) / 60
    text = "\n".join(_page(found, left_out, minutes, full=arguments.full))
    print(text)
    if not arguments.only:
        arguments.out.write_text(text + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes of real slides")
    parser.add_argument("--only", nargs="*", choices=RUNS, help="these measures, not written")
    parser.add_argument("--out", type=Path, default=OUT, help=f"the page ({OUT.name})")
    return parser.parse_args()


def _figures(run: Run, full: bool) -> tuple[list[Figure], list[str]]:
    """Return the figures of a benchmark, and what it says it left out."""
    if run.needs_toy and not TOY.is_dir():
        return [], [f"{TOY} is not there; make toy"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.jsonl"
        options = run.full if full else run.quick
        command = [sys.executable, str(HERE / run.script), *options, "--json", str(path)]
        used = run_measured(command)
        why = [line.strip() for line in used.output.splitlines() if "left out" in line]
        if used.status:
            why.append(f"failed: {used.output.strip().splitlines()[-1]}")
        return read_figures(path), sorted(set(why))


def _page(
    found: Sequence[Figure], left_out: Sequence[str], minutes: float, *, full: bool
) -> Iterator[str]:
    command = "python benchmarks/table.py" + (" --full" if full else "")
    yield "# What the benchmarks measure\n"
    yield (
        f"`{command}`, {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {minutes:.0f} minutes on {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}. Ratios come from one run, side by side, and are what "
        "the other takes over what ours takes; absolute times do not travel.\n"
    )
    yield HEAD
    yield RULE
    for figure in found:
        yield _row(figure)
    if left_out:
        yield "\nLeft out:\n"
        yield from (f"- {line}" for line in left_out)


def _row(figure: Figure) -> str:
    parts = (
        figure.measure,
        figure.size,
        figure.unit,
        _number(figure.ours),
        _number(figure.theirs),
        _number(figure.ratio),
        figure.peer,
        _number(figure.ours_mb),
        _number(figure.theirs_mb),
        figure.note,
    )
    return "| " + " | ".join(parts) + " |"


def _number(value: float | None) -> str:
    """Return three digits that count; nothing for None."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
