"""Time per patch of the HV post-processing, against the plain way (``hv_cases/plain_loop.py``), which must agree.

Inputs: the maps of a file of cases (``--oracle``, arrays binary, hv, type), and maps made from the patches of folders
of masks (``--masks``). The best of several repeats counts, of both in turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from hv_cases.maps import NetworkMaps, maps_of
from hv_cases.plain_loop import plain_nuclei

from sthelar_build.core.hv_nuclei import hv_nuclei
from sthelar_build.core.instance_entries import contours
from sthelar_build.io.masks import open_masks

ORACLE = Path("../shared/data/cellvit/postproc_cases.npz")


def main() -> None:
    arguments = _arguments()
    # One thread per call: what counts is the work.
    cv2.setNumThreads(1)
    print("patches\tmagnification\tnuclei\tplain ms\tours ms\tratio\tthreads\tours on threads ms")
    sources = {folder.parent.name: _from_masks(folder, arguments) for folder in arguments.masks}
    if arguments.oracle.is_file():
        sources = {"oracle": _from_cases(arguments.oracle), **sources}
    for name, cases in sources.items():
        for magnification in (40, 20):
            n = sum(_agree(case, magnification) for case in cases)
            plain, ours = _best(plain_nuclei, cases, magnification, arguments.repeats)
            spread = _on_threads(cases, magnification, arguments)
            print(
                f"{name} ({len(cases)})\t{magnification}\t{n}\t{plain:.2f}\t{ours:.2f}\t{plain / ours:.1f}"
                f"\t{arguments.threads}\t{spread:.2f}"
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--oracle", type=Path, default=ORACLE, help=f"file of cases ({ORACLE})")
    parser.add_argument("--masks", type=Path, nargs="*", default=[], help="folders of masks")
    parser.add_argument("--patches", type=int, default=40, help="of each folder (40)")
    parser.add_argument("--repeats", type=int, default=3, help="the best counts (3)")
    parser.add_argument("--threads", type=int, default=2, help="for the last column (2)")
    parser.add_argument("--seed", type=int, default=0, help="of noise and choice (0)")
    return parser.parse_args()


def _from_cases(path: Path) -> list[NetworkMaps]:
    with np.load(path) as cases:
        triples = zip(cases["binary"], cases["hv"].astype(np.float32), cases["type"], strict=True)
        return [NetworkMaps(*maps) for maps in triples]


def _from_masks(folder: Path, arguments: argparse.Namespace) -> list[NetworkMaps]:
    masks, rng = open_masks(folder), np.random.default_rng(arguments.seed)
    n = min(arguments.patches, masks.n_patches)
    chosen = np.sort(rng.choice(masks.n_patches, n, replace=False))
    return [maps_of(masks.instances(patch_id), rng) for patch_id in chosen.tolist()]


def _agree(case: NetworkMaps, magnification: int) -> int:
    """Return the number of nuclei; AssertionError if the two differ in anything."""
    ours = hv_nuclei(*case, magnification)
    instances, known = plain_nuclei(*case, magnification)
    np.testing.assert_array_equal(ours.instances, instances)
    assert ours.ids.tolist() == list(known)
    outlines = contours(ours.instances, ours.ids)
    for k, one in enumerate(known.values()):
        assert ours.bbox[k].tolist() == list(one["bbox"])
        assert ours.centroid_px[k].tolist() == one["centroid"]
        assert (ours.type_index[k], ours.type_prob[k]) == (one["type"], one["type_prob"])
        np.testing.assert_array_equal(outlines[k], one["contour"])
    return len(known)


def _best(
    plain: Callable[..., Any], cases: list[NetworkMaps], magnification: int, repeats: int
) -> tuple[float, float]:
    """Return milliseconds of the processor per patch: the plain way, ours."""
    best = [np.inf, np.inf]
    for _ in range(repeats):
        for k, work in enumerate((plain, hv_nuclei)):
            start = time.process_time()
            for case in cases:
                work(*case, magnification)
            best[k] = min(best[k], (time.process_time() - start) / len(cases) * 1e3)
    return best[0], best[1]


def _on_threads(
    cases: list[NetworkMaps], magnification: int, arguments: argparse.Namespace
) -> float:
    """Return milliseconds on the clock per patch."""
    best = np.inf
    with ThreadPoolExecutor(arguments.threads) as pool:
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            list(pool.map(lambda case: hv_nuclei(*case, magnification), cases))
            best = min(best, (time.perf_counter() - start) / len(cases) * 1e3)
    return best


if __name__ == "__main__":
    main()
