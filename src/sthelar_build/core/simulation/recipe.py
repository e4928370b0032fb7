"""The recipe of a simulated slide: size, tissue, depth, defects, stains, all as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TissueName = Literal["breast_cancer", "skin"]


@dataclass(frozen=True)
class Recipe:
    """Everything that a simulated slide depends on; equal recipes give equal slides.

    The meaning, unit and range of every field stand with the settings of the stage ``simulate``, which
    has the same fields and defaults.
    """

    seed: int = 1
    tissue: TissueName = "breast_cancer"
    width_um: float = 600.0
    height_um: float = 600.0
    mosaic_columns: int = 1
    mosaic_rows: int = 1
    mosaic_blocks: int = 3
    off_tissue_share: float = 0.08
    cell_density: float = 1.0
    panel_size: int = 320
    transcripts_per_cell: float = 150.0
    mixed_share: float = 0.06
    mixing: float = 0.4
    low_count_share: float = 0.03
    no_nucleus_share: float = 0.02
    two_nuclei_share: float = 0.02
    overlapping_nuclei_share: float = 0.01
    holes: int = 4
    bow_ties: int = 4
    unassigned_share: float = 0.1
    low_quality_share: float = 0.12
    control_share: float = 0.006
    diffusion_um: float = 0.8
    multichannel: bool = False
    xoa_version: str = "3.0.0.0"
    id_suffix: int = 1
    he_um_per_px: float = 0.2738
    he_tag_error: float = 0.0
    he_rotation_deg: float = 93.0
    he_mirrored: bool = False
    he_margin_um: float = 30.0
    he_stain_variation: float = 0.5
    keypoint_count: int = 14
    keypoint_noise_px: float = 1.0
    keypoint_outliers: int = 1
    reference_cells: int = 3000
    reference_extra_genes: int = 300
