"""The table of the outcomes, and the targets of the project against them."""

from __future__ import annotations

from collections.abc import Mapping

from annotation_cases.outcome import WITNESSES, Outcome
from annotation_cases.plan import Plan

HEAD = (
    "                            cells  too  accuracy                  rare class"
    "           not in the atlas\n"
    "case                               few  tangram markers refined   tangram markers refined"
    "  t      m      refined  ECE    other   s"
)
_ACCURACY_GOALS = ((100.0, 0.05, 0.97), (50.0, 0.15, 0.90))
_GOAL_PANEL = 300
"""100 molecules over 5,000 genes do not tell the types: a classifier taught with the true labels gets 0.80 there."""
_RARE_RECALL, _ABSENT_RECALL = 0.8, 0.8
_CALIBRATION, _LOSS = 0.05, 0.005


def line(name: str, found: Outcome, seconds: float) -> str:
    """Return the row of a case."""
    parts = [_three(found.accuracy), _three(found.rare_recall), _three(found.absent_recall)]
    return (
        f"{name:26s} {found.n_cells:6d} {found.too_few:5.3f}  {'   '.join(parts)}  "
        f"{found.calibration_error:5.3f}  {found.other:5.3f} {seconds:5.1f}"
    )


def _three(values: Mapping[str, float]) -> str:
    return "  ".join(f"{values[name]:6.4f}" if values else "   -  " for name in WITNESSES)


def print_summary(found: Mapping[str, Outcome], plans: Mapping[str, Plan]) -> None:
    """Say for every target how many of its cases reach it, and name those that do not."""
    for depth, spill, goal in _ACCURACY_GOALS:
        concerned = {
            name: one.accuracy["refined"]
            for name, one in found.items()
            if (plans[name].depth, plans[name].spill, plans[name].panel)
            == (depth, spill, _GOAL_PANEL)
        }
        words = f"accuracy >= {goal} at depth {depth:g}, spill-over {spill:g}, {_GOAL_PANEL} genes"
        _print(words, concerned, goal)
    rare = {name: o.rare_recall["refined"] for name, o in found.items() if o.rare_recall}
    _print(f"recall of the rare class >= {_RARE_RECALL}", rare, _RARE_RECALL)
    absent = {name: o.absent_recall["refined"] for name, o in found.items() if o.absent_recall}
    _print(f"recall of what the atlas lacks >= {_ABSENT_RECALL}", absent, _ABSENT_RECALL)
    errors = {name: -one.calibration_error for name, one in found.items()}
    _print(f"calibration error <= {_CALIBRATION}", errors, -_CALIBRATION)
    gains = {
        name: o.accuracy["refined"] - max(o.accuracy["tangram"], o.accuracy["markers"])
        for name, o in found.items()
    }
    _print(f"refined at most {_LOSS} below the better witness", gains, -_LOSS)


def _print(target: str, values: Mapping[str, float], goal: float) -> None:
    missed = {name: value for name, value in values.items() if value < goal}
    words = ", ".join(f"{name} {abs(v) if goal < -0.01 else v:.4f}" for name, v in missed.items())
    print(
        f"{target}: {len(values) - len(missed)} of {len(values)}"
        + (f"; missed by {words}" * bool(missed))
    )
