"""Settings of the stage ``simulate``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sthelar_build.settings.base import Count, Seed, Settings, Share

_MORPHOLOGY_UM_PER_PX = 0.2125
_MORPHOLOGY_MULTIPLE, _HE_MULTIPLE = 32, 16
"""The smallest level of an image is 32 or 16 times smaller: blocks must meet there, too."""
_TOLERANCE = 1e-5
_FITTING_HE_UM_PER_PX, _FITTING_UM = 0.2125 * 4 / 3, 13.6
"""Four pixels of the morphology image are three of the H&E."""


class SimulateSettings(Settings):
    """Make a toy slide: a Xenium bundle, its H&E, an alignment, a reference atlas, and the truth."""

    revision: Literal[1] = 1
    seed: Seed = 1
    """Seed of everything; equal recipes give equal slides."""
    tissue: Literal["breast_cancer", "skin"] = "breast_cancer"
    """Layout of the tissue, and the cell types that it holds."""
    width_um: Annotated[float, Field(ge=50, le=5000)] = 600
    """Width of the scanned region, in um. A square millimetre takes about 2 GB of memory."""
    height_um: Annotated[float, Field(ge=50, le=5000)] = 600
    """Height of the scanned region, in um."""
    mosaic_columns: Annotated[int, Field(ge=1, le=200)] = 1
    """Blocks side by side. With more than one block in all the slide is a mosaic: ``width_um`` and ``height_um`` are those
    of a block, few blocks are simulated, laid out many times, mirrored by chance, and written one after the other, so that
    memory does not grow with the slide. What molecules are is drawn anew at every place: no two parts have the same cells,
    though images and outlines are the same. A mosaic lies straight: ``he_rotation_deg`` and ``he_margin_um`` are 0."""
    mosaic_rows: Annotated[int, Field(ge=1, le=200)] = 1
    """Blocks one above the other."""
    mosaic_blocks: Annotated[int, Field(ge=1, le=20)] = 3
    """Different blocks of a mosaic."""
    off_tissue_share: Annotated[float, Field(ge=0, le=0.8)] = 0.08
    """Share of the region that is bare glass, along one side."""
    cell_density: Annotated[float, Field(ge=0.1, le=2)] = 1
    """Cells per area, relative to the tissue's own; below 1 the cells lie farther apart."""
    panel_size: Annotated[int, Field(ge=20, le=10000)] = 320
    """Genes of the panel: markers first, then shared genes, then invented ones."""
    transcripts_per_cell: Annotated[float, Field(gt=0, le=5000)] = 150
    """Transcripts of a cell of typical size, all qualities; types differ by a factor of about 0.7 to 1.5."""
    mixed_share: Share = 0.06
    """Share of the cells that hold transcripts of a neighbour of another class."""
    mixing: Share = 0.4
    """Share of its transcripts that a mixed cell has from its neighbour's type."""
    low_count_share: Share = 0.03
    """Share of the cells with at most 8 counted transcripts."""
    no_nucleus_share: Share = 0.02
    """Share of the cells whose nucleus lies outside the section."""
    two_nuclei_share: Share = 0.02
    """Share of the large cells that have two nuclei (XOA 1.x shows the first)."""
    overlapping_nuclei_share: Share = 0.01
    """Share of the nuclei that may lie over their neighbours."""
    holes: Count = 4
    """Nuclei with a hole, which the bundle shows as one ring with a cut."""
    bow_ties: Count = 4
    """Nuclei whose ring in the bundle crosses itself."""
    unassigned_share: Annotated[float, Field(ge=0, le=0.6)] = 0.1
    """Share of the transcripts that lie in no cell; diffusion alone leaves a few percent."""
    low_quality_share: Share = 0.12
    """Share of the transcripts with a quality below 20."""
    control_share: Annotated[float, Field(ge=0, le=0.2)] = 0.006
    """Control codewords decoded per transcript of a gene."""
    diffusion_um: Annotated[float, Field(ge=0, le=20)] = 0.8
    """Standard deviation of the displacement of every transcript, in um: what spills into neighbours."""
    multichannel: bool = False
    """Also the boundary, interior RNA and interior protein stains (XOA >= 2)."""
    xoa_version: Annotated[str, Field(pattern=r"^[1-4]\.\d+\.\d+(\.\d+)?$")] = "3.0.0.0"
    """Version of the Xenium software whose bundle layout is written, 1.0 to 4.x."""
    id_suffix: Annotated[int, Field(ge=1, lt=2**32)] = 1
    """Suffix of the cell ids; one cell of every slide has the id of 0xFFFFFFFF and suffix 12."""
    he_um_per_px: Annotated[float, Field(ge=0.1, le=2)] = 0.2738
    """Pixel size of the H&E, in um."""
    he_tag_error: Annotated[float, Field(ge=-0.5, le=1)] = 0
    """Relative error of the pixel size that the H&E file states."""
    he_rotation_deg: Annotated[float, Field(ge=-360, le=360)] = 93
    """Rotation from the H&E to the morphology image, in degrees, clockwise on the screen."""
    he_mirrored: bool = False
    """The H&E was scanned from its back: y is mirrored before it is turned."""
    he_margin_um: Annotated[float, Field(ge=0, le=500)] = 30
    """Margin of the H&E around the region, in um."""
    he_stain_variation: Annotated[float, Field(ge=0, le=2)] = 0.5
    """How far the stain is from the textbook: 0 is equal to it, 1 the spread between laboratories."""
    keypoint_count: Annotated[int, Field(ge=3)] = 14
    """Landmarks that were clicked in both images."""
    keypoint_noise_px: Annotated[float, Field(ge=0)] = 1
    """Standard deviation of a click, in H&E pixels."""
    keypoint_outliers: Count = 1
    """Landmarks that were clicked on the wrong nucleus, about 40 um away."""
    reference_cells: Annotated[int, Field(ge=1)] = 3000
    """Cells of the reference atlas; every type has at least 40 whatever this says."""
    reference_extra_genes: Count = 300
    """Genes of the reference atlas that are not on the panel."""

    @model_validator(mode="after")
    def _blocks_meet(self) -> SimulateSettings:
        if self.mosaic_columns * self.mosaic_rows == 1:
            return self
        if self.he_rotation_deg or self.he_margin_um or self.he_mirrored:
            raise ValueError(
                "expected a mosaic to lie straight: he_rotation_deg 0, he_margin_um 0, he_mirrored false"
            )
        for name, length_um in (("width_um", self.width_um), ("height_um", self.height_um)):
            for um_per_px, multiple in (
                (_MORPHOLOGY_UM_PER_PX, _MORPHOLOGY_MULTIPLE),
                (self.he_um_per_px, _HE_MULTIPLE),
            ):
                units = length_um / um_per_px / multiple
                if abs(units - round(units)) > _TOLERANCE:
                    raise ValueError(
                        f"expected {name} of a mosaic to be a multiple of {multiple} px of {um_per_px:.6g} um, "
                        f"found {length_um / um_per_px:.2f} px; with he_um_per_px {_FITTING_HE_UM_PER_PX} take a "
                        f"multiple of {_FITTING_UM} um"
                    )
        return self
