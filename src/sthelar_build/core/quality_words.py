"""The quality of a registration as rows of a page: each figure with what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sthelar_build.core.wording import NO_VALUE, count, number, percent

_SOURCES = {"given": "as given", "refined": "given and refined", "automatic": "found automatically"}


class Figure(NamedTuple):
    """One figure of the quality."""

    name: str
    value: str
    meaning: str


class Alternative(NamedTuple):
    """One way in which the H&E could be placed, and how well it lies then."""

    source: str
    median: str
    p95: str
    agreeing: str
    kept: bool


class Point(NamedTuple):
    """Correlation at a shift."""

    shift_um: float
    correlation: float


def figures(quality: Mapping[str, Any]) -> list[Figure]:
    """Return the figures of ``transform.json``; none for a file that has none."""
    if not quality:
        return []
    return [*_of_tiles(quality), *_of_nuclei(quality), *_of_matrix(quality)]


def decay_points(quality: Mapping[str, Any]) -> list[Point]:
    """Return the correlation of nuclei and haematoxylin at rising shifts, where it is known."""
    decay = quality.get("decay") or {}
    pairs = zip(decay.get("shift_um") or (), decay.get("correlation") or (), strict=False)
    return [Point(shift, value) for shift, value in pairs if value is not None]


def alternatives(found: Mapping[str, Any], kept: str | None) -> list[Alternative]:
    """Return every place that was compared, and which one was kept."""
    return [
        Alternative(
            source=_SOURCES.get(name, name),
            median=_um(one.get("median_um")),
            p95=_um(one.get("p95_um")),
            agreeing=percent(one.get("agreeing")),
            kept=name == kept,
        )
        for name, one in found.items()
    ]


def kept_words(kept: str | None) -> str | None:
    """Return which place was kept, in words."""
    return None if kept is None else _SOURCES.get(kept, kept)


def _of_tiles(quality: Mapping[str, Any]) -> Iterator[Figure]:
    yield Figure(
        "Tiles that agree",
        f"{percent(quality.get('agreeing'))} of {count(quality.get('n_measured', 0))}",
        "Measured tiles whose nuclei lie where they should. At a wrong place 3 % do, by chance.",
    )
    yield Figure(
        "Tiles that agree on a common shift",
        percent(quality.get("coherent")),
        "If more than agree without any shift: all is moved the same way.",
    )
    yield Figure(
        "Correlation, and its fall",
        f"{number(_at_once(quality))}, {number(quality.get('drop'))}",
        "Of nuclei and haematoxylin as registered, and how much is lost when the nuclei are shifted by 4 to 8 µm. "
        "Without a fall nothing speaks for this place.",
    )
    distortion = quality.get("distortion") or {}
    yield Figure(
        "Distortion of the section",
        _um(distortion.get("smooth_um")) + (", corrected" if distortion.get("corrected") else ""),
        "What neighbouring tiles are off by together, under one matrix: the 95th percentile. Not known of fewer than 30 tiles.",
    )


def _of_nuclei(quality: Mapping[str, Any]) -> Iterator[Figure]:
    matched = quality.get("matched") or {}
    total = matched.get("n_nuclei") or 0
    yield Figure(
        "Nuclei with a partner",
        percent(matched["n_matched"] / total) if total else NO_VALUE,
        "Nuclei and stained cores of the H&E that are each other's nearest. About 70 to 90 % of what both stains "
        "show, 30 % by chance.",
    )
    yield Figure(
        "Distance of the pairs",
        f"{_um(matched.get('median_um'))} median, {_um(matched.get('p95_um'))} at the 95th percentile",
        "Includes how well two stains can agree on the middle of a nucleus (0.5 to 1 µm). By chance 2.7 µm.",
    )
    yield Figure(
        "Nuclei on the H&E",
        percent(quality.get("inside")),
        "The others lie beyond its border.",
    )
    yield Figure(
        "Of those, on tissue",
        percent(quality.get("on_tissue")),
        "The others lie where the H&E shows glass: tissue was lost, or the place is wrong.",
    )


def _of_matrix(quality: Mapping[str, Any]) -> Iterator[Figure]:
    matrix = quality.get("matrix") or {}
    stated = quality.get("stated_um_per_px")
    says = "states no size" if stated is None else f"states {number(stated, 4)} µm"
    yield Figure(
        "Pixel of the H&E",
        f"{number(matrix.get('um_per_px'), 4)} µm",
        f"As the alignment implies; the file {says}.",
    )
    mirrored = "mirrored, then turned" if matrix.get("mirrored") else "turned"
    yield Figure(
        "Orientation",
        f"{mirrored} by {number(matrix.get('rotation_deg'), 1)}°",
        "How the H&E must be laid onto the morphology image, clockwise.",
    )
    yield Figure(
        "Stretch and shear",
        f"{number(matrix.get('anisotropy'), 4)}, {number(matrix.get('shear_deg'), 2)}°",
        "Of one direction over the other, and the lost right angle; a scanner makes neither (1 and 0°).",
    )


def _at_once(quality: Mapping[str, Any]) -> float | None:
    values: Sequence[float | None] = (quality.get("decay") or {}).get("correlation") or (None,)
    return values[0]


def _um(value: float | None) -> str:
    return NO_VALUE if value is None else f"{number(value)} µm"
