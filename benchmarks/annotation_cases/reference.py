"""The atlas of a case, with what is wrong about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annotation_cases.plan import Plan
from sthelar_build.core.simulation.atlas import Atlas, reference_atlas
from sthelar_build.core.simulation.fields import stream
from sthelar_build.core.simulation.programmes import Programmes

_CELLS = 4000


def case_atlas(plan: Plan, known: Programmes) -> Atlas:
    """Return about 4,000 cells of every type of the programmes but the missing ones, some mislabelled."""
    rows = [number for number, label in enumerate(known.labels) if label not in plan.missing]
    held = replace(known, labels=tuple(known.labels[n] for n in rows), profile=known.profile[rows])
    atlas = reference_atlas(stream(plan.seed, "atlas"), held, _CELLS)
    return replace(atlas, labels=_relabelled(plan, atlas, held.labels))


def _relabelled(plan: Plan, atlas: Atlas, names: tuple[str, ...]) -> np.ndarray:
    """Give a share of the cells another label, each as likely."""
    rng = stream(plan.seed, "relabelled")
    labels = atlas.labels.copy()
    number = {name: n for n, name in enumerate(names)}
    wrong = np.flatnonzero(rng.random(len(labels)) < plan.relabelled)
    step = rng.integers(1, len(names), len(wrong))
    for row, shift in zip(wrong, step, strict=True):
        labels[row] = names[(number[labels[row]] + shift) % len(names)]
    return labels
