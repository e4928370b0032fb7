"""What a matrix that fails may be instead: the mistakes that people make, undone one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.matrix_facts import matrix_facts
from sthelar_build.schema.frames import Affine, Frame

Floats = NDArray[np.float64]

NEAR_UM = 20.0
"""A matrix that only lacks the last polish is not farther off than this."""
_LEVELS = (2, 4, 8, 16, 32)
_SWAP = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
_LEAST_TURN_DEG = 0.5
_LEAST_GROWTH = 0.005
_OTHER_REGION_UM = 50.0


class Hypothesis(NamedTuple):
    """A mistake that may have been made, and the matrix that is right if it was."""

    name: str
    sentence: str
    """What the given matrix looks like, in plain words."""
    he_to_morphology: Affine
    um_to_he: Affine
    """The same, the other way round and from um."""


def hypotheses(
    given: Affine,
    he_size_px: tuple[int, int],
    pixel_size_um: float,
    stated_um_per_px: float | None = None,
) -> list[Hypothesis]:
    """Return everything that a matrix may be instead, the commonest first.

    Parameters
    ----------
    given
        H&E px -> morphology px, as it is said to be.
    he_size_px
        Width and height of the H&E.
    pixel_size_um
        Size of a morphology pixel.
    stated_um_per_px
        Pixel size that the H&E file states; without it nothing is said of an H&E in um.
    """
    matrix = given.matrix
    found = [
        *_inverse(matrix),
        *_micrometres(matrix, pixel_size_um, stated_um_per_px),
        *_mirrored(matrix, he_size_px),
        *_swapped(matrix),
        *_levels(matrix),
    ]
    um_to_px = Affine.scaling(1 / pixel_size_um, Frame.UM, Frame.MORPHOLOGY)
    possible = []
    for name, words, candidate in found:
        to_px = Affine(candidate, Frame.HE, Frame.MORPHOLOGY)
        um_to_he = um_to_px.then(to_px.inverse())
        possible.append(Hypothesis(name, f"the matrix looks {words}", to_px, um_to_he))
    return possible


def diagnose(
    given: Affine,
    possible: Iterable[Hypothesis],
    found: Affine | None,
    points_um: Floats,
    pixel_size_um: float,
    near_um: float = NEAR_UM,
) -> str | None:
    """Say what is wrong with a matrix, given the right one.

    Parameters
    ----------
    given
        The matrix that fails.
    possible
        As ``hypotheses`` gives them.
    found
        The right matrix, from the search or from a hypothesis that was measured; None if there is none.
    points_um
        (n, 2) places of the slide at which maps are compared: some nuclei, or the corners of the region.
    pixel_size_um
        Size of a morphology pixel.
    near_um
        Maps that differ by less in the median are the same.

    Returns
    -------
    One sentence; None if the given matrix is the right one to within 1 um.
    """
    if found is None:
        return (
            "no place on this H&E fits the nuclei, whatever was tried: the H&E may be of another slide, section or "
            "region, or its nuclei do not show"
        )
    where_px = found.inverse().apply(points_um / pixel_size_um)
    off_um = _apart_um(given, found, where_px, pixel_size_um)
    if off_um < 1:
        return None
    ranked = sorted(
        (_apart_um(one.he_to_morphology, found, where_px, pixel_size_um), place, one.sentence)
        for place, one in enumerate(possible)
    )
    if ranked and ranked[0][0] < min(near_um, off_um):
        return ranked[0][2]
    words = _difference(given, found, points_um, pixel_size_um, off_um)
    return f"{words}; it may be that of another region" if off_um > _OTHER_REGION_UM else words


Undone = Iterator[tuple[str, str, Floats]]


def _inverse(matrix: Floats) -> Undone:
    yield (
        "inverse",
        "like the inverse of the one needed: it maps morphology px to H&E px, and H&E px to morphology px is needed",
        np.asarray(np.linalg.inv(matrix), dtype=np.float64),
    )


def _micrometres(matrix: Floats, pixel_size_um: float, stated: float | None) -> Undone:
    um_to_px = _scaling(1 / pixel_size_um)
    yield (
        "target in um",
        "as if it led to um: it must lead to morphology px, so divide its first two rows by the pixel size of "
        f"{pixel_size_um:g} um",
        um_to_px @ matrix,
    )
    yield (
        "target divided twice",
        "as if its first two rows had been divided by the pixel size twice: multiply them by "
        f"{pixel_size_um:g}",
        _scaling(pixel_size_um) @ matrix,
    )
    if stated is None:
        return
    he_px_to_um = _scaling(stated)
    yield (
        "source in um",
        f"as if it started from um of the H&E: it must start from its px, of {stated:g} um each",
        matrix @ he_px_to_um,
    )
    yield (
        "source multiplied twice",
        "as if its first two columns had been multiplied by the pixel size of the H&E twice: divide them by "
        f"{stated:g}",
        matrix @ _scaling(1 / stated),
    )
    yield (
        "both in um",
        "as if it led from um to um: it must lead from H&E px to morphology px",
        um_to_px @ matrix @ he_px_to_um,
    )


def _mirrored(matrix: Floats, he_size_px: tuple[int, int]) -> Undone:
    width, height = he_size_px
    flip_x = np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]])
    flip_y = np.array([[1.0, 0, 0], [0, -1, height], [0, 0, 1]])
    yield (
        "mirrored in x",
        "like that of a mirrored image: left and right of the H&E are exchanged",
        matrix @ flip_x,
    )
    yield (
        "mirrored in y",
        "like that of a mirrored image: top and bottom of the H&E are exchanged",
        matrix @ flip_y,
    )
    yield (
        "upside down",
        "like that of the H&E turned upside down (by 180 degrees)",
        matrix @ flip_x @ flip_y,
    )


def _swapped(matrix: Floats) -> Undone:
    yield (
        "axes of the H&E swapped",
        "as if it started from (row, column) of the H&E: x and y are exchanged on the side of the H&E",
        matrix @ _SWAP,
    )
    yield (
        "axes of the morphology image swapped",
        "as if it led to (row, column): x and y are exchanged on the side of the morphology image",
        _SWAP @ matrix,
    )
    yield (
        "axes swapped on both sides",
        "as if it led from (row, column) to (row, column): x and y are exchanged on both sides",
        _SWAP @ matrix @ _SWAP,
    )


def _levels(matrix: Floats) -> Undone:
    for factor in _LEVELS:
        yield (
            f"level {factor} of the H&E",
            f"as if it was made on a pyramid level of the H&E that is {factor} times smaller: level 0 is needed",
            matrix @ _scaling(1 / factor),
        )
        yield (
            f"level 1/{factor} of the H&E",
            f"as if it was made on an H&E that is {factor} times larger than this file",
            matrix @ _scaling(factor),
        )
        yield (
            f"level {factor} of the morphology image",
            f"as if it was made on a pyramid level of the morphology image that is {factor} times smaller: level 0 "
            "is needed",
            _scaling(factor) @ matrix,
        )


def _difference(
    given: Affine, found: Affine, points_um: Floats, pixel_size_um: float, off_um: float
) -> str:
    """Say how the given matrix differs from the right one: mirrored, turned, of another size, moved."""
    # From where things belong to where the given matrix puts them, both in morphology px.
    aside = Affine(given.matrix @ found.inverse().matrix, Frame.HE, Frame.MORPHOLOGY)
    facts = matrix_facts(aside, pixel_size_um)
    parts = ["mirrored"] if facts.mirrored else []
    if abs(facts.rotation_deg) >= _LEAST_TURN_DEG:
        parts.append(f"turned by {abs(facts.rotation_deg):.3g} degrees")
    if abs(np.log(aside.scale)) >= _LEAST_GROWTH:
        parts.append(_growth(aside.scale))
    centre_px = points_um.mean(axis=0, keepdims=True) / pixel_size_um
    moved_um = float(np.hypot(*(aside.apply(centre_px) - centre_px)[0]) * pixel_size_um)
    if moved_um >= 1:
        parts.append(f"moved by {moved_um:.3g} um")
    return (
        f"the matrix puts the H&E {off_um:.3g} um from where the nuclei fit: it is {_list(parts)} "
        "against the right one"
    )


def _growth(scale: float) -> str:
    if 0.5 < scale < 2:
        return f"{abs(scale - 1):.1%} too {'large' if scale > 1 else 'small'}"
    times = max(scale, 1 / scale)
    return f"{times:.3g} times too {'large' if scale > 1 else 'small'}"


def _list(parts: Sequence[str]) -> str:
    if not parts:
        return "distorted"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _apart_um(one: Affine, other: Affine, where_px: Floats, pixel_size_um: float) -> float:
    apart = one.apply(where_px) - other.apply(where_px)
    return float(np.median(np.hypot(*apart.T)) * pixel_size_um)


def _scaling(factor: float) -> Floats:
    return np.diag([factor, factor, 1.0])
