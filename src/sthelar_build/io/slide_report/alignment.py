"""What the report says of the alignment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sthelar_build.core import quality_words, summary
from sthelar_build.io.pictures.embedded import Picture, captioned_pictures
from sthelar_build.io.tables import read_table
from sthelar_build.io.transform import Transform
from sthelar_build.schema.tables import REGISTRATION

_LARGEST_RESIDUAL_UM = 5.0


@dataclass(frozen=True, eq=False)
class ShownAlignment:
    """What the page says of the alignment; files of earlier versions know less."""

    transform: Transform
    n_tiles: int
    unmeasured: tuple[summary.Part, ...]
    """Tiles that could not be measured, by reason."""
    residuals: summary.Histogram
    figures: list[quality_words.Figure]
    decay: list[quality_words.Point]
    alternatives: list[quality_words.Alternative]
    kept: str | None
    limit_um: float | None
    """What the median error must not exceed; None where it was not recorded."""
    pictures: list[tuple[str, Picture]]


def shown_alignment(
    transform: Transform,
    registration: Path,
    pictures: Path,
    picture_px: int,
    register_settings: dict[str, Any],
) -> ShownAlignment:
    """Return what the page says; ``register_settings`` are those that made the transform."""
    tiles = read_table(registration, REGISTRATION)
    return ShownAlignment(
        transform=transform,
        n_tiles=len(tiles),
        unmeasured=summary.parts(tiles["reason"]),
        residuals=summary.histogram(tiles["residual_um"], 0, _LARGEST_RESIDUAL_UM),
        figures=quality_words.figures(transform.quality),
        decay=quality_words.decay_points(transform.quality),
        alternatives=quality_words.alternatives(transform.alternatives, transform.kept),
        kept=quality_words.kept_words(transform.kept),
        limit_um=register_settings.get("warn_um"),
        pictures=captioned_pictures(pictures, picture_px),
    )
