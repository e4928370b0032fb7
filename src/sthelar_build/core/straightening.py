"""Whether a section is distorted, and the local correction that undoes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sthelar_build.core.correction import CorrectedMap, Correction
from sthelar_build.core.correction_fit import CorrectionFit, fit_correction
from sthelar_build.core.quality import field_facts
from sthelar_build.schema.frames import Affine, PointMap

Measure = Callable[[PointMap, float], pd.DataFrame]
"""Measures tiles under a map, trying shifts up to so many um; columns of ``schema.tables.REGISTRATION``."""

_WIDER = 2.5
"""A distorted section is off by more than tiles are searched for as a rule."""
_ALL_AGREE = 0.9


@dataclass(frozen=True)
class StraighteningRule:
    """When and how a correction is fitted; as in ``RegisterSettings``."""

    search_um: float
    agree_um: float
    correct_above_um: float
    correction_step_um: float


@dataclass(frozen=True, eq=False)
class Straightened:
    """What the tiles say of the distortion of a section."""

    fit: CorrectionFit | None
    """The smooth part of the residual field; None if too few tiles could be measured."""
    affine: Affine
    """The map that it was measured under; where there is a correction, the one that leaves least to it."""
    correction: Correction | None = None
    """The correction to use: where the smooth part is large and holds for tiles that were held out, and the tiles agree better under it."""


def straightened(affine: Affine, measure: Measure, rule: StraighteningRule) -> Straightened:
    """Measure the distortion of a section under an affine map, and fit a correction where it is worth one."""
    tiles = measure(affine, rule.search_um)
    fitted = _fitted(tiles, None, rule)
    agreeing = field_facts(tiles, rule.agree_um).agreeing
    if _is_flat(fitted, rule) and agreeing >= _ALL_AGREE:
        return Straightened(fitted, affine)
    wide = _fitted(measure(affine, _WIDER * rule.search_um), None, rule)
    if wide is None or _is_flat(wide, rule):
        return Straightened(wide or fitted, affine)
    # Windows that agreed on the map may all lie in one part: the affine share of the field belongs to the map.
    level = CorrectedMap(wide.correction, affine).near(tiles[["x_um", "y_um"]].to_numpy(np.float64))
    rough = _fitted(measure(level, _WIDER * rule.search_um), None, rule)
    if rough is None or _is_flat(rough, rule):
        return Straightened(rough, level)
    under = CorrectedMap(rough.correction, level)
    fine = _fitted(measure(under, rule.search_um), rough.correction, rule)
    best = fine if fine and fine.helps else rough
    after = measure(CorrectedMap(best.correction, level), rule.search_um)
    if field_facts(after, rule.agree_um).agreeing <= agreeing:
        return Straightened(wide, affine)
    return Straightened(best, level, best.correction)


def _is_flat(fit: CorrectionFit | None, rule: StraighteningRule) -> bool:
    return fit is None or not fit.helps or fit.smooth_um < rule.correct_above_um


def _fitted(
    tiles: pd.DataFrame, under: Correction | None, rule: StraighteningRule
) -> CorrectionFit | None:
    """Fit to all that the tiles are off: by what was corrected already, and by what was measured then."""
    return fit_correction(
        tiles[["x_um", "y_um"]].to_numpy(np.float64),
        tiles[["dx_um", "dy_um"]].to_numpy(np.float64),
        tiles["n_nuclei"].to_numpy(np.float64),
        so_far=under,
        step_um=rule.correction_step_um,
    )
