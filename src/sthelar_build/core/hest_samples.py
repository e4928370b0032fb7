"""What HEST-1k says of a sample: its fields, their words, and which ids its reader can tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

FIELDS = (
    "dataset_title", "id", "image_filename", "organ", "disease_state", "oncotree_code", "species", "patient",
    "st_technology", "data_publication_date", "license", "study_link", "download_page_link1", "inter_spot_dist",
    "spot_diameter", "spots_under_tissue", "preservation_method", "nb_genes", "treatment_comment",
    "pixel_size_um_embedded", "pixel_size_um_estimated", "magnification", "fullres_px_width", "fullres_px_height",
    "tissue", "disease_comment", "subseries",
)  # fmt: skip
"""The fields of a sample, in their order."""

DISEASE_STATES = {"cancer": "Cancer", "normal": "Healthy"}
"""Condition of a slide -> HEST's word."""

_MAGNIFICATIONS = ((0.1, "60x"), (0.5, "40x"), (1.0, "20x"), (4.0, "10x"))


def sample_record(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return all fields in their order, None for those that are not known; ValueError for a field that HEST has not."""
    strangers = set(known) - set(FIELDS)
    if strangers:
        raise ValueError(f"expected fields of HEST, got {sorted(strangers)}")
    return {name: known.get(name) for name in FIELDS}


def magnification(um_per_px: float) -> str:
    """Return HEST's word for a size of pixel.

    >>> magnification(0.2125), magnification(5.0)
    ('40x', '<10x')
    """
    return next((word for most, word in _MAGNIFICATIONS if um_per_px <= most), "<10x")


def clash(ids: Sequence[str]) -> tuple[str, str] | None:
    """Return two ids of which one is the end of the other: the reader finds files by how their names end."""
    pairs = ((one, other) for one, other in permutations(ids, 2) if other.endswith(one))
    return next(pairs, None)
