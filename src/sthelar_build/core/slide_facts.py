"""What is known of the files of a slide, in human words with units, by subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sthelar_build.core.wording import NO_VALUE, count, in_words, number

_BY = " \N{MULTIPLICATION SIGN} "
Facts = Mapping[str, Any]
Words = Callable[[Any], str]


class FactGroup(NamedTuple):
    """Facts on one subject."""

    title: str
    facts: list[tuple[str, str]]
    """Name and value."""


def _micrometres(value: Any) -> str:
    return f"{number(value, 4)} µm"


def _thousands(value: Any) -> str:
    return count(int(value))


def _labels(value: Mapping[str, int]) -> str:
    listed = ", ".join(f"{name.replace('_', ' ')} {count(n)}" for name, n in value.items())
    return f"{len(value)}: {listed}"


def _source(value: Any) -> str:
    return {
        "xenium": "the Xenium bundle",
        "geojson": "outlines that were drawn (GeoJSON)",
        "cellpose": "Cellpose on the DAPI image",
    }.get(str(value), str(value))


_KNOWN: dict[str, dict[str, tuple[str, Words]]] = {
    "Xenium run": {
        "panel": ("Gene panel", in_words),
        "n_genes": ("Genes on the panel", _thousands),
        "xoa_version": ("Version of the Xenium software", in_words),
        "layout": ("Version of the file layout", in_words),
        "n_transcripts": ("Transcripts", _thousands),
    },
    "Cells and nuclei": {
        "n_cells": ("Cells", _thousands),
        "n_nuclei": ("Nuclei", _thousands),
        "nuclei_source": ("Outlines of the nuclei from", _source),
        "nuclei_file": ("File of the outlines", in_words),
        "predicted_patches": ("Patches with a segmentation that was supplied", _thousands),
    },
    "Morphology image": {
        "morphology_size": ("Size", in_words),
        "pixel_size_um": ("Pixel", _micrometres),
        "channels": ("Stains", in_words),
    },
    "H&E image": {
        "he_size": ("Size", in_words),
        "he_pixel_um": ("Pixel, from the alignment", _micrometres),
        "he_um_per_px": ("Pixel, as the file says", _micrometres),
        "alignment_um_per_px": ("Pixel, as the alignment file implies", _micrometres),
        "alignment_keypoints": ("Pairs of points in the alignment file", _thousands),
        "he_levels": ("Levels of the image pyramid", _thousands),
    },
    "Reference atlas": {
        "reference_cells": ("Cells", _thousands),
        "reference_matrix": ("Expression read from", in_words),
        "reference_scale": ("Scale of its values", in_words),
        "shared_genes": ("Genes shared with the panel", _thousands),
        "reference_labels": ("Cell types, with the cells of each", _labels),
    },
}
"""Subjects, and their facts in order: name in the record, name on the page, how it is said."""
_PARTS = frozenset(
    f"{image}_{side}_px" for image in ("he", "morphology") for side in ("width", "height")
)


def fact_groups(facts: Facts) -> list[FactGroup]:
    """Return what is known, by subject; a fact that has no words yet stands at the end under its own name.

    Parameters
    ----------
    facts
        What ``preflight`` and ``ingest`` found, by the names of their records; ``he_pixel_um`` is what the alignment
        makes of a level-0 pixel of the H&E. Sizes in pixels are joined, and given in mm where the pixel is known.
    """
    known = {**facts, **_sizes(facts)}
    groups = [
        FactGroup(title, [(name, _said(known[key], words)) for key, (name, words) in of.items() if key in known])
        for title, of in _KNOWN.items()
    ]  # fmt: skip
    said = _PARTS.union(*_KNOWN.values())
    rest = [
        (key.replace("_", " ").capitalize(), in_words(value))
        for key, value in facts.items()
        if key not in said
    ]
    return [group for group in (*groups, FactGroup("Other", rest)) if group.facts]


def _said(value: Any, words: Words) -> str:
    return NO_VALUE if value is None else words(value)


def _sizes(facts: Facts) -> dict[str, str]:
    pixels = {"he": facts.get("he_pixel_um"), "morphology": facts.get("pixel_size_um")}
    return {
        f"{image}_size": _size(facts[f"{image}_width_px"], facts[f"{image}_height_px"], um_per_px)
        for image, um_per_px in pixels.items()
        if f"{image}_width_px" in facts and f"{image}_height_px" in facts
    }


def _size(width_px: int, height_px: int, um_per_px: float | None) -> str:
    pixels = f"{count(width_px)}{_BY}{count(height_px)} px"
    if not um_per_px:
        return pixels
    width_mm, height_mm = (side * um_per_px / 1000 for side in (width_px, height_px))
    return f"{pixels}, {number(width_mm)}{_BY}{number(height_mm)} mm"
