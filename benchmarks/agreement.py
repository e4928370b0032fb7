"""Time per patch of Dice, Jaccard and bPQ, against the usual loop over the instances of a patch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.agreement import agreement

CASES = Path(__file__).parents[1] / "tests" / "data" / "agreement_cases.npz"


def reference(true: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Return bPQ the usual way: one mask per instance, compared with the instances that it touches."""
    masks = {i: predicted == i for i in np.unique(predicted) if i}
    n_true, ious = 0, []
    for one in (true == i for i in np.unique(true) if i):
        n_true += 1
        for touched in np.unique(predicted[one]):
            if touched:
                iou = (one & masks[touched]).sum() / (one | masks[touched]).sum()
                ious += [iou] if iou > 0.5 else []
    tp, false = len(ious), n_true + len(masks) - 2 * len(ious)
    return float(tp / (tp + 0.5 * false + 1e-6) * sum(ious) / (tp + 1e-6))


def seconds_per_patch(score: Callable[..., Any], pairs: list[tuple[NDArray[Any], ...]]) -> float:
    start = time.perf_counter()
    for pair in pairs:
        score(*pair)
    return (time.perf_counter() - start) / len(pairs)


def main() -> None:
    with np.load(CASES) as cases:
        pairs = list(zip(cases["true"], cases["pred"], strict=True))
    pairs = pairs[: int(sys.argv[1]) if len(sys.argv) > 1 else len(pairs)]
    ours = seconds_per_patch(agreement, pairs)
    plain = seconds_per_patch(reference, pairs)
    print("what\tms per patch\tratio")
    print(f"sthelar_build.core.agreement\t{ours * 1e3:.2f}\t1.0")
    print(f"the usual loop\t{plain * 1e3:.2f}\t{plain / ours:.1f}")


if __name__ == "__main__":
    main()
