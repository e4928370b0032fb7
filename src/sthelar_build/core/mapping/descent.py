"""Adam down Tangram's objective, until it settles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sthelar_build.core.mapping.objective import Objective, Placement, Terms

_BAG_CELLS = 10_000
WINDOW_STEPS = 10
"""Steps over which the objective must stand still."""


@dataclass(frozen=True)
class Schedule:
    """How far to go."""

    epochs: int
    """Steps at most."""
    learning_rate: float = 0.1
    """Step size of Adam."""
    tolerance: float = 0.0
    """Stop once the objective has varied by less than this share of itself over the window; 0 is never."""
    epsilon: float = 1e-8
    """Adam's epsilon; torch's default. See :func:`epsilon_for`."""


def descend(
    placement: Placement,
    objective: Objective,
    schedule: Schedule,
    steps: Iterable[int] | None = None,
) -> list[Terms]:
    """Take the steps, and return the terms before every one of them and after the last.

    The steps are those of ``torch.optim.Adam`` with its default momenta, so the same start gives
    tangram-sc's result up to rounding. ``steps`` may wrap ``range(1, epochs + 1)``, to show progress.
    """
    history: list[Terms] = []
    terms, slopes = objective.at(placement)
    for number in steps or range(1, schedule.epochs + 1):
        history.append(terms)
        if has_settled([each.total for each in history], schedule.tolerance):
            return history
        placement.step(slopes, number, schedule.learning_rate, schedule.epsilon)
        terms, slopes = objective.at(placement)
    return [*history, terms]


def epsilon_for(n_cells: int) -> float:
    """Return the epsilon with which a slide of any size moves as a bag of 10,000 cells does in tangram-sc.

    The columns of P sum to 1, so the slopes of the logits fall as one over the number of cells, while torch's epsilon
    of 1e-8 stays: above, it would damp the steps (of a million cells, so far that 400 do not suffice).
    """
    return 1e-8 * min(1.0, _BAG_CELLS / n_cells)


def has_settled(totals: Sequence[float], tolerance: float) -> bool:
    """Return whether the last ``WINDOW_STEPS`` steps changed the objective by less than the tolerance.

    The change is the largest value of the window less the smallest, relative to the last one.
    """
    if tolerance <= 0 or len(totals) <= WINDOW_STEPS:
        return False
    window = totals[-WINDOW_STEPS - 1 :]
    return max(window) - min(window) < tolerance * abs(window[-1])
