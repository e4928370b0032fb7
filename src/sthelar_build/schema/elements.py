"""Names of everything inside ``sdata_{slide}.zarr``."""

from collections.abc import Sequence

HE_IMAGE = "he"
MORPHOLOGY_IMAGE = "morpho"
CORRECTION_IMAGE = "registration_correction"
"""The local correction of the registration, where there is one: an image with a pixel per node."""
TRANSCRIPT_POINTS = "st"
NUCLEUS_SHAPES = "nucleus_boundaries"
CELL_SHAPES = "cell_boundaries"
PATCH_SHAPES = "he_patches"
"""The patches of the first scale; those of another are named after it, as ``he_patches_20x``."""
CELL_TABLE = "table_cells"
NUCLEUS_TABLE = "table_nuclei"
COMBINED_TABLE = "table_combined"
SCVI_TABLE = "table_scvi"
"""Cells clustered in the latent space of scVI, where that was asked for."""

COUNT_LAYER = "count"
"""The layer of raw counts; ``X`` is log-normalised."""
NUCLEUS_COUNT_LAYER = "nucleus_count"
"""The layer of ``table_combined`` that holds the raw counts of the cell's nuclei."""

GLOBAL = "global"
"""The coordinate system of level-0 morphology pixels (frame ``morphology``)."""
HE_SYSTEM = "he"
"""The coordinate system of level-0 H&E pixels (frame ``he``)."""
UM_SYSTEM = "um"
"""The coordinate system of Xenium micrometres (frame ``um``)."""


def patch_shapes_names(scales: Sequence[str]) -> list[str]:
    """Return the names of the patches of each scale.

    >>> patch_shapes_names(["40x", "20x"])
    ['he_patches', 'he_patches_20x']
    """
    return [PATCH_SHAPES, *(f"{PATCH_SHAPES}_{scale}" for scale in scales[1:])][: len(scales)]


def features_table_name(model: str) -> str:
    """Return the name of the table of a model's features.

    >>> features_table_name("phikonv2")
    'features_phikonv2'
    """
    return f"features_{model}"
