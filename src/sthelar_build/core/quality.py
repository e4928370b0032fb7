"""How well a registration lies, in numbers for the whole slide."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.drift import SHIFTED, SHIFTS_UM
from sthelar_build.core.matrix_facts import MatrixFacts
from sthelar_build.core.registration import weighted_quantiles
from sthelar_build.schema.words import FLAT, NO_TISSUE

DECAY_UM = (0, *SHIFTS_UM)
"""Shifts at which the correlation is known."""
_NEAR_UM = 2
"""A nucleus shifted by more than this hardly covers itself."""


@dataclass(frozen=True)
class FieldFacts:
    """The tiles of a slide, summed up."""

    n_tiles: int
    n_measured: int
    n_flat: int
    n_no_tissue: int
    n_agreeing: int
    """Measured tiles whose best shift is none."""
    n_coherent: int
    """Measured tiles whose best shift is the common one; never fewer than agree on none."""
    median_um: float | None
    """Median residual of the measured tiles, weighted by their nuclei; None without any."""
    p95_um: float | None
    decay: tuple[float, ...] | None
    """Correlation at the shifts ``DECAY_UM``, weighted by nuclei; None if no tile could be compared."""
    is_fitted: bool = False
    """Whether the map was fitted to tiles of this slide: some of them agree with it then, right or wrong."""

    @property
    def agreeing(self) -> float:
        """Share of the measured tiles that agree on no shift; 0 without any."""
        return self.n_agreeing / max(1, self.n_measured)

    @property
    def coherent(self) -> float:
        """Share of the measured tiles that agree on a common shift; 0 without any."""
        return self.n_coherent / max(1, self.n_measured)

    @property
    def drop(self) -> float | None:
        """How far the correlation falls from no shift to the mean over shifts of 4 and 8 um; None if it is not known."""
        if self.decay is None:
            return None
        away = [
            value
            for shift_um, value in zip(DECAY_UM, self.decay, strict=True)
            if shift_um > _NEAR_UM and np.isfinite(value)
        ]
        return self.decay[0] - float(np.mean(away)) if away else None


@dataclass(frozen=True)
class MatchedFacts:
    """Nuclei of the bundle that have a partner on the H&E."""

    n_nuclei: int
    """Nuclei in tiles that could be compared."""
    n_matched: int
    median_um: float | None
    """Of the distances to the partners; None without any."""
    p95_um: float | None


@dataclass(frozen=True)
class Findings:
    """All that was found about a registration."""

    field: FieldFacts
    matched: MatchedFacts
    matrix: MatrixFacts
    inside: float
    """Share of the nuclei that fall on the H&E."""
    on_tissue: float
    """Share of those that fall on tissue; 0 if none falls on the H&E."""
    stated_um_per_px: float | None = None
    """Pixel size that the H&E file states."""
    keypoints_um: tuple[float, ...] = ()
    """Leave-one-out residuals of the keypoints that were used."""
    rejected_um: tuple[float, ...] = ()
    """Residuals of the keypoints that were left out as gross errors."""

    def record(self) -> dict[str, Any]:
        """Return the ``quality`` of ``transform.json``: plain JSON, without the keypoints."""
        field = asdict(self.field)
        decay = field.pop("decay")
        return {
            **field,
            "agreeing": self.field.agreeing,
            "coherent": self.field.coherent,
            "drop": self.field.drop,
            "decay": {
                "shift_um": list(DECAY_UM),
                "correlation": [_plain(value) for value in decay] if decay else None,
            },
            "matched": asdict(self.matched),
            "inside": self.inside,
            "on_tissue": self.on_tissue,
            "matrix": asdict(self.matrix),
            "stated_um_per_px": self.stated_um_per_px,
        }


def field_facts(tiles: pd.DataFrame, agree_um: float, *, is_fitted: bool = False) -> FieldFacts:
    """Sum up a table of tiles (``schema.tables.REGISTRATION``); shifts that differ by up to ``agree_um`` agree."""
    measured = tiles[tiles["residual_um"].notna()]
    shifts_um = measured[["dx_um", "dy_um"]].to_numpy(np.float64)
    n_agreeing = _near(shifts_um, np.zeros(2), agree_um)
    common_um = np.median(shifts_um, axis=0) if len(shifts_um) else np.zeros(2)
    median_um, p95_um = None, None
    if len(measured):
        median_um, p95_um = weighted_quantiles(
            measured["residual_um"].to_numpy(np.float64),
            measured["n_nuclei"].to_numpy(np.float64),
            [0.5, 0.95],
        )
    return FieldFacts(
        n_tiles=len(tiles),
        n_measured=len(measured),
        n_flat=int((tiles["reason"] == FLAT).sum()),
        n_no_tissue=int((tiles["reason"] == NO_TISSUE).sum()),
        n_agreeing=n_agreeing,
        n_coherent=max(n_agreeing, _near(shifts_um, common_um, agree_um)),
        median_um=median_um,
        p95_um=p95_um,
        decay=_decay(tiles),
        is_fitted=is_fitted,
    )


def matched_facts(matched_um: NDArray[np.floating], tiles: pd.DataFrame) -> MatchedFacts:
    """Sum up the distances of all matched nuclei (n,) of the tiles that could be compared."""
    known = len(matched_um) > 0
    median_um, p95_um = np.quantile(matched_um, [0.5, 0.95]).tolist() if known else (None, None)
    compared = tiles["correlation"].notna()
    n_nuclei = int(tiles.loc[compared, "n_nuclei"].sum())
    return MatchedFacts(n_nuclei, len(matched_um), median_um, p95_um)


def _near(shifts_um: NDArray[np.float64], centre_um: NDArray[np.float64], agree_um: float) -> int:
    return int((np.hypot(*(shifts_um - centre_um).T) <= agree_um).sum())


def _decay(tiles: pd.DataFrame) -> tuple[float, ...] | None:
    compared = tiles[tiles["correlation"].notna()]
    if compared.empty:
        return None
    columns = compared[["correlation", *SHIFTED]].to_numpy(np.float64)
    means = np.average(columns, axis=0, weights=compared["n_nuclei"].to_numpy(np.float64))
    return tuple(means.tolist())


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None
