"""What the report says of the alignment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sthelar_build.core import quality_words, summary
from sthelar_build.io.pictures.embedded import Picture, captioned_pictures
from sthelar_build.io.records import PROVENANCE, read_record
from sthelar_build.io.tables import read_table
from sthelar_build.io.transform import Transform, read_transform
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
    settings: dict[str, Any]
    """Those that made the transform; empty where they were not recorded."""
    pictures: list[tuple[str, Picture]]


def shown_alignment(
    transform: Path, registration: Path, pictures: Path, picture_px: int
) -> ShownAlignment:
    """Return what the page says; ``pictures`` is the folder of those that ``register`` drew."""
    tiles = read_table(registration, REGISTRATION)
    placed = read_transform(transform)
    settings = read_record(transform).get(PROVENANCE, {}).get("settings", {})
    return ShownAlignment(
        transform=placed,
        n_tiles=len(tiles),
        unmeasured=summary.parts(tiles["reason"]),
        residuals=summary.histogram(tiles["residual_um"], 0, _LARGEST_RESIDUAL_UM),
        figures=quality_words.figures(placed.quality),
        decay=quality_words.decay_points(placed.quality),
        alternatives=quality_words.alternatives(placed.alternatives, placed.kept),
        kept=quality_words.kept_words(placed.kept),
        limit_um=settings.get("warn_um"),
        settings=settings,
        pictures=captioned_pictures(pictures, picture_px),
    )
