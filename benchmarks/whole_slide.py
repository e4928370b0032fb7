"""The real workflow on simulated slides of several sizes: what every stage takes, and how that grows.

Each size has a folder of its own, with configuration, sheets, and a mosaic slide (see ``simulate``); a size that is finished
is not run again, and one that was interrupted goes on. Other work on the machine lengthens the wall time but not the CPU
time. Exponents are slopes of the logarithms over the number of cells; about 1 is as it should be. Peaks are those that the
kernel keeps (Linux), of all processes of a job together. A job that takes more memory than its rule asks for is named, and
the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pandas as pd
from whole_slide_cases.cost import read_costs, scaling, too_much
from whole_slide_cases.large_slide import SLIDE, SlideSize, write_run
from whole_slide_cases.watched import run_watched

from sthelar_build.io.records import read_record

_REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> None:
    arguments = _arguments()
    status, runs = 0, {}
    for cells in arguments.cells:
        size = SlideSize(cells, arguments.genes, arguments.transcripts_per_cell)
        folder = arguments.folder / size.name
        if not arguments.table:
            write_run(folder, size, arguments.scales, arguments.formats)
            status = max(status, run_watched(_command(arguments), folder))
        truth = folder / "resources/toy" / SLIDE / "truth/truth.json"
        if truth.exists():
            runs[read_record(truth, ["n_cells"])["n_cells"]] = read_costs(folder, size)
    with pd.option_context("display.width", 400):
        print(scaling(runs).to_string(na_rep=""))
    found = [f"{cells} cells: {line}" for cells, run in runs.items() for line in too_much(run)]
    print("\n".join(found))
    sys.exit(status or bool(found))


def _command(arguments: argparse.Namespace) -> list[str]:
    until = ["--until", *arguments.until] if arguments.until else []
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(_REPOSITORY / "Snakefile")]
    return [*snakemake, "--cores", str(arguments.cores), "--keep-going", *until]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path("results/benchmarks/whole_slide")
    parser.add_argument("--folder", type=Path, default=folder, help=f"of all runs ({folder})")
    sizes = [25_000, 100_000, 400_000]
    parser.add_argument("--cells", type=int, nargs="+", default=sizes, help=f"sizes ({sizes})")
    parser.add_argument("--genes", type=int, default=320, help="of the panel (320)")
    parser.add_argument("--transcripts-per-cell", type=float, default=165, help="about (165)")
    parser.add_argument("--scales", nargs="+", choices=["40x", "20x"], default=["40x", "20x"])
    parser.add_argument("--formats", nargs="*", default=["pannuke"], help="of datasets (pannuke)")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--until", nargs="*", help="stages to end with, instead of the whole run")
    parser.add_argument("--table", action="store_true", help="only read what is finished")
    return parser.parse_args()


if __name__ == "__main__":
    main()
