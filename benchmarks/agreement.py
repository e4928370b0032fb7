"""Time per patch of the metrics, against the plain way (``agreement_cases/plain_loop.py``), which must agree.

Dice, Jaccard and bPQ of the cases of ``--cases`` (arrays true, pred), and the panoptic quality of every class of ``--typed``
(true_remapped, pred_remapped, true_type, pred_type), if that file is there. What counts is the time of the processor, the best of
several repeats of both in turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from agreement_cases.plain_loop import plain_agreement, plain_class_pq
from figures import Figure, add_figures, add_json

from sthelar_build.core.agreement import Agreement, agreement
from sthelar_build.core.class_quality import ClassQuality, class_quality

CASES = Path(__file__).parents[1] / "tests" / "data" / "agreement_cases.npz"
TYPED = Path("../shared/data/cellvit/metric_cases_types.npz")
N_CLASSES = 6


def main() -> None:
    arguments = _arguments()
    print("what\tpatches\tplain ms\tours ms\tratio")
    pairs = _read(arguments.cases, ["true", "pred"], arguments.patches)
    _compare("Dice, Jaccard, bPQ", pairs, plain_agreement, agreement, arguments)
    if arguments.typed.is_file():
        names = ["true_remapped", "true_type", "pred_remapped", "pred_type"]
        typed = [(*case, N_CLASSES) for case in _read(arguments.typed, names, arguments.patches)]
        title = f"PQ of {N_CLASSES} classes"
        _compare(title, typed, plain_class_pq, class_quality, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=CASES, help=f"pairs of maps ({CASES.name})")
    parser.add_argument("--typed", type=Path, default=TYPED, help=f"with types ({TYPED})")
    parser.add_argument("--patches", type=int, help="the first so many (all)")
    parser.add_argument("--repeats", type=int, default=3, help="the best counts (3)")
    add_json(parser)
    return parser.parse_args()


def _read(path: Path, names: list[str], n: int | None) -> list[tuple[Any, ...]]:
    with np.load(path) as cases:
        return list(zip(*(cases[name][:n] for name in names), strict=True))


def _compare(
    what: str,
    cases: list[tuple[Any, ...]],
    plain: Callable[..., Any],
    ours: Callable[..., Any],
    arguments: argparse.Namespace,
) -> None:
    for case in cases:
        np.testing.assert_array_equal(_values(ours(*case)), plain(*case))
    best = [np.inf, np.inf]
    for _ in range(arguments.repeats):
        for k, work in enumerate((plain, ours)):
            start = time.process_time()
            for case in cases:
                work(*case)
            best[k] = min(best[k], (time.process_time() - start) / len(cases) * 1e3)
    print(f"{what}\t{len(cases)}\t{best[0]:.2f}\t{best[1]:.3f}\t{best[0] / best[1]:.1f}")
    size = f"{what}, {len(cases)} patches"
    figure = Figure(
        "metrics", size, "CPU ms per patch", best[1], best[0], "usual functions", note="equal"
    )
    add_figures(arguments.json, [figure])


def _values(found: Agreement | ClassQuality) -> Any:
    if isinstance(found, ClassQuality):
        return found.pq
    return found.dice, found.jaccard, found.bdq, found.bsq, found.bpq


if __name__ == "__main__":
    main()
