"""What was found in the raw files of a slide, in plain words: a line for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sthelar_build.core.wording import count

Facts = Mapping[str, Any]


def raw_words(facts: Facts) -> dict[str, str]:
    """Return thing -> what was found, for what the facts of ``preflight.json`` know of.

    >>> raw_words({"he_width_px": 900, "he_height_px": 700, "he_levels": 3, "he_um_per_px": None})
    {'H&E': '900 x 700 px, 3 levels, pixel size not said'}
    """
    kinds = {
        "Xenium bundle": ("xoa_version", _bundle),
        "H&E": ("he_width_px", _he),
        "alignment": ("alignment_keypoints", _alignment),
        "reference": ("reference_cells", _reference),
        "predictions": ("predicted_patches", _predictions),
        "nuclei": ("nuclei_file", _nuclei),
    }
    return {name: words(facts) for name, (key, words) in kinds.items() if key in facts}


def _bundle(facts: Facts) -> str:
    counted = ", ".join(
        f"{count(facts[f'n_{what}'])} {what}"
        for what in ("genes", "cells", "nuclei", "transcripts")
    )
    return f"XOA {facts['xoa_version']}, {facts['panel'] or 'panel without a name'}: {counted}"


def _he(facts: Facts) -> str:
    stated = facts["he_um_per_px"]
    pixel = f"{stated:.4g} um a pixel" if stated else "pixel size not said"
    n_levels = facts["he_levels"]
    levels = "1 level" if n_levels == 1 else f"{n_levels} levels"
    return f"{facts['he_width_px']} x {facts['he_height_px']} px, {levels}, {pixel}"


def _alignment(facts: Facts) -> str:
    found = []
    if implied := facts["alignment_um_per_px"]:
        found.append(f"a matrix that makes an H&E pixel {implied:.4g} um")
    if n_keypoints := facts["alignment_keypoints"]:
        found.append(f"{n_keypoints} keypoints")
    return " and ".join(found)


def _reference(facts: Facts) -> str:
    return (
        f"{count(facts['reference_cells'])} cells of {len(facts['reference_labels'])} labels, "
        f"{facts['reference_scale']} values in {facts['reference_matrix']}, "
        f"{facts['shared_genes']} of the {facts['n_genes']} genes of the panel"
    )


def _predictions(facts: Facts) -> str:
    return f"{count(facts['predicted_patches'])} patches"


def _nuclei(facts: Facts) -> str:
    return f"outlines of {facts['nuclei_file']}, in place of those of the bundle"
