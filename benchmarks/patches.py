"""Patches of a slide, written by this project and by a plain loop, and the memory that it takes for slides of any size.

Speed: nuclei drawn, and images, labels and cell numbers of every patch written, as PNG and npz in zips. The loop does what such
scripts do (``patch_cases/plain_loop.py``), for some of the patches; all masks of those are compared with ours. What counts on
one core is the time of the processor; on several cores the time on the clock, with nothing else running.

Memory (``--memory``): the same for slides of several sides, each in a process of its own.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import shapely
from figures import Figure, add_figures, add_json
from patch_cases.ours import draw, source_of, write
from patch_cases.plain_loop import PlainLoop
from patch_cases.slide import HE_UM_PER_PX, SIDE_PX, SLIDE, PatchSlide, make_slide

from sthelar_build.io.images.he import open_he
from sthelar_build.io.tables import read_table
from sthelar_build.schema.labels import patch_class_index
from sthelar_build.schema.tables import LABELS, NUCLEI, PATCHES

HE = Path("resources/toy/toy_breast/he_image.ome.tif")
FOLDER = Path("results/benchmarks/patches")


def main() -> None:
    arguments = _arguments()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.memory:
        _print_memory(arguments)
    else:
        for side_px in arguments.sides:
            _print_speed(arguments, side_px)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--he", type=Path, default=HE, help=f"texture of the slide ({HE})")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"scratch ({FOLDER})")
    parser.add_argument(
        "--sides", type=int, nargs="+", default=[13_824], help="of slides, in px (13,824)"
    )
    parser.add_argument("--density", type=float, default=0.4, help="nuclei per 34 x 34 px (0.4)")
    parser.add_argument("--loop-patches", type=int, default=600, help="patches of the loop (600)")
    parser.add_argument("--threads", type=int, default=2, help="for the run on several cores (2)")
    parser.add_argument("--repeats", type=int, default=2, help="the best counts (2)")
    parser.add_argument("--memory", type=int, nargs="*", help="sides of slides, in px")
    add_json(parser)
    return parser.parse_args()


def _print_speed(arguments: argparse.Namespace, side_px: int) -> None:
    slide = _slide(arguments, side_px)
    loop, corners, numbers = _loop(slide, arguments.loop_patches)
    # Compiled kernels and open libraries belong to neither side.
    _ours(slide, 1, time.process_time)
    rows = []
    for _ in range(arguments.repeats):
        theirs = _timed(time.process_time, _write_loop, loop, slide, corners, numbers)
        rows.append((theirs / len(corners), *_ours(slide, 1, time.process_time)))
    one = np.min(rows, axis=0)
    several = []
    for _ in range(arguments.repeats):
        theirs = _timed(time.perf_counter, _write_loop, loop, slide, corners, numbers)
        several.append((theirs / len(corners), *_ours(slide, arguments.threads, time.perf_counter)))
    many = np.min(several, axis=0)
    print(f"{_n_patches(slide)} patches, {loop.n_nuclei} nuclei, best of {arguments.repeats}\n")
    print("                                   plain loop   ours: drawn  written     ratio")
    _print_row("one core, ms of it per patch", one)
    _print_row(f"{arguments.threads} threads, ms of the clock per patch", many)
    equal = f"{_equal_masks(slide)} of {len(corners)} masks equal"
    print(f"\n{equal}, pixel by pixel")
    size = f"{_n_patches(slide)} patches, {loop.n_nuclei} nuclei"
    ms = (1e3 * (one[1] + one[2]), 1e3 * one[0])
    plain = "loop of shapely, skimage, Pillow"
    add_figures(
        arguments.json, [Figure("patches", size, "CPU ms per patch", *ms, plain, note=equal)]
    )


def _print_row(what: str, seconds: np.ndarray) -> None:
    theirs, drawn, written = 1e3 * seconds
    print(
        f"{what:34s} {theirs:10.2f} {drawn:13.2f} {written:8.2f} {theirs / (drawn + written):9.1f}"
    )


def _slide(arguments: argparse.Namespace, side_px: int) -> PatchSlide:
    folder = arguments.folder / f"slide_{side_px}"
    shutil.rmtree(folder, ignore_errors=True)
    return make_slide(folder, arguments.he, side_px, arguments.density, "native")


def _ours(slide: PatchSlide, threads: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Return the seconds per patch of drawing and of writing."""
    shutil.rmtree(slide.file("masks"), ignore_errors=True)
    shutil.rmtree(slide.file("ours"), ignore_errors=True)
    drawn = _timed(clock, draw, slide, threads)
    written = _timed(clock, write, slide, slide.file("ours"), threads)
    return drawn / _n_patches(slide), written / _n_patches(slide)


def _timed(clock: Callable[[], float], work: Callable[..., None], *arguments: Any) -> float:
    start = clock()
    work(*arguments)
    return clock() - start


def _n_patches(slide: PatchSlide) -> int:
    return len(source_of(slide)) if slide.file("masks").exists() else 0


def _loop(slide: PatchSlide, n_patches: int) -> tuple[PlainLoop, np.ndarray, list[int]]:
    """Return the loop, the corners of its patches, and their numbers: the first rows of the grid."""
    patches = read_table(slide.file("patches.parquet"), PATCHES)
    patches = patches[patches["complete"]].head(n_patches)
    nuclei = read_table(slide.file("nuclei.parquet"), NUCLEI)
    labels = read_table(slide.file("labels.parquet"), LABELS).set_index("cell_id")["final_label"]
    classes = labels.loc[nuclei["cell_id"]].map(patch_class_index).to_numpy(np.uint8)
    outlines = shapely.transform(nuclei["geometry"].to_numpy(), lambda um: um / HE_UM_PER_PX)
    height = int(patches["y_px"].max()) + SIDE_PX
    with open_he(slide.file("he.tif")) as image:
        pixels = image.read(0, 0, image.width_px, height)
    loop = PlainLoop(pixels, outlines, classes, nuclei["nucleus_id"].to_numpy(), SIDE_PX)
    corners = patches[["x_px", "y_px"]].to_numpy(np.int64)
    return loop, corners, patches["patch_id"].tolist()


def _write_loop(
    loop: PlainLoop, slide: PatchSlide, corners: np.ndarray, numbers: list[int]
) -> None:
    shutil.rmtree(slide.file("loop"), ignore_errors=True)
    loop.write(slide.file("loop"), [f"{SLIDE}_{number}" for number in numbers], corners)


def _equal_masks(slide: PatchSlide) -> int:
    """Count the patches whose nuclei, classes and cells are the same in what both wrote."""
    n_equal = 0
    with (
        zipfile.ZipFile(slide.file("loop") / "cells.zip") as theirs,
        zipfile.ZipFile(slide.file("ours") / "cells.zip") as ours,
        zipfile.ZipFile(slide.file("loop") / "labels.zip") as their_labels,
        zipfile.ZipFile(slide.file("ours") / "labels.zip") as our_labels,
    ):
        for name in theirs.namelist():
            same = (_cells(theirs, name) != _cells(ours, name)).nnz == 0
            kinds = [_types(archive, name) for archive in (their_labels, our_labels)]
            n_equal += same and np.array_equal(*kinds)
    return n_equal


def _cells(archive: zipfile.ZipFile, name: str) -> scipy.sparse.csr_matrix:
    return scipy.sparse.load_npz(io.BytesIO(archive.read(name)))


def _types(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with np.load(io.BytesIO(archive.read(name))) as parts:
        values = [parts[f"type_map_{part}"] for part in ("data", "indices", "indptr")]
        return scipy.sparse.csr_matrix(tuple(values), parts["type_map_shape"]).toarray()


def _print_memory(arguments: argparse.Namespace) -> None:
    print("  side, px   patches     nuclei   drawn: s      MB   written: s      MB")
    for side_px in arguments.memory:
        slide = _slide(arguments, side_px)
        drawn, drawn_mb = _apart(draw, slide, arguments.threads)
        written, written_mb = _apart(write, slide, slide.file("ours"), arguments.threads)
        n_nuclei = len(read_table(slide.file("nuclei.parquet"), NUCLEI, ["nucleus_id"]))
        print(
            f"{side_px:10d} {_n_patches(slide):9d} {n_nuclei:10d} {drawn:10.0f} {drawn_mb:7.0f} "
            f"{written:12.0f} {written_mb:7.0f}",
            flush=True,
        )
        shutil.rmtree(slide.folder)


def _apart(work: Callable[..., None], *arguments: Any) -> tuple[float, float]:
    """Return seconds and peak memory in MB of a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, arguments))


def _measured(work: Callable[..., None], arguments: tuple[Any, ...]) -> tuple[float, float]:
    seconds = _timed(time.perf_counter, work, *arguments)
    return seconds, _peak_mb()


def _peak_mb() -> float:
    """Return the peak of this process; that of ``getrusage`` may be the one of the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
