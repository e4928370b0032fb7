"""Every setting of every stage, the two sheets, and the run. Imports pydantic and the standard library only."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from sthelar_build.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def _in_order(interval: tuple[float, float]) -> tuple[float, float]:
    if interval[0] > interval[1]:
        raise ValueError("expected the smaller end of the interval first")
    return interval


Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Interval = Annotated[tuple[Share, Share], AfterValidator(_in_order)] | None
Weight = Annotated[float, Field(ge=0)]
Memory = Annotated[float, Field(ge=0, lt=1)]
Channels = Annotated[int, Field(ge=1, le=4096)]
Widths = tuple[Channels, Channels, Channels, Channels, Channels, Channels, Channels]
Part = TypeVar("Part", bound="DataclassInstance")

TOY = "toy"
"""Names the checkpoint that is shipped."""
TOY_CHECKPOINT = Path(__file__).parent / "models" / "toy_cellvit.pt"


class Settings(BaseModel):
    """Frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def part(self, kind: type[Part]) -> Part:
        """Return the settings that a dataclass has fields for, as that dataclass."""
        return kind(**self.model_dump(include={field.name for field in fields(kind)}))


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


class PreflightSettings(Settings):
    """Look at the raw files before any work is done."""

    revision: Literal[1] = 1
    min_shared_genes: Share = 0.5
    """Smallest share of the panel's genes that the reference should have; fewer is named as a problem."""
    pixel_size_tolerance: Share = 0.1
    """Largest relative difference between the H&E pixel size of the file and that of the alignment."""


class IngestSettings(Settings):
    """Read a Xenium bundle of any version into tables."""

    revision: Literal[2] = 2


class CountSettings(Settings):
    """Count transcripts per nucleus and per cell."""

    revision: Literal[1] = 1
    min_qv: Annotated[float, Field(ge=0)] = 20
    """Transcripts of lower quality are not counted; 10x counts from 20."""


class RegisterSettings(Settings):
    """Place the H&E on the morphology image, and measure how well it lies."""

    revision: Literal[2] = 2
    refine: bool = True
    """Polish an alignment that is given, and keep whichever scores better; both are reported."""
    on_fail: Literal["stop", "use_auto", "keep"] = "stop"
    """What to do where an alignment fails: stop the slide; use what is found automatically, if that is right; or go on, marked fail, with
    patches that are in no split."""
    sampled_tiles: Annotated[int, Field(ge=50)] = 300
    """Tiles that are measured to find, refine and compare registrations; the one that is kept is measured on all."""
    correct_above_um: Positive = 1.5
    """Distortion of the section, in um (95th percentile of the smooth part of the residuals), above which a local correction is fitted."""
    correction_step_um: Positive = 200
    """Distance of the control points of the correction, in um."""
    tile_um: Positive = 100
    """Side of the tiles in which the residual is measured, in um."""
    search_um: Positive = 10
    """Largest shift that is tried, in um along x and along y."""
    um_per_px: Positive = 0.5
    """Resolution of the measurement, in um per pixel."""
    smoothing_um: Annotated[float, Field(ge=0)] = 0.5
    """Standard deviation of the Gaussian on the haematoxylin, in um."""
    min_nuclei: Annotated[int, Field(ge=1)] = 5
    """Tiles with fewer nuclei are not measured."""
    min_gain: Share = 0.1
    """By how much the best correlation must exceed that of the farthest shifts; a tile below is flat."""
    match_um: Positive = 4
    """Nuclei of the H&E and of the bundle farther apart than this, in um, are never a pair."""
    agree_um: Positive = 2
    """Tiles whose best shifts differ by up to this, in um, agree."""
    min_agreeing: Share = 0.4
    """Share of the measured tiles that must agree on one shift; below it the slide is marked fail. A wrong place gives random shifts, of which 3 % agree."""
    warn_agreeing: Share = 0.7
    """Share of the measured tiles that must agree with no shift at all; below it the slide is marked warn."""
    max_chance: Share = 0.001
    """Probability that as many tiles agree by chance, above which the slide is marked fail: too few tiles to tell."""
    warn_um: Positive = 2
    """Median residual, in um, above which the slide is marked warn."""
    fail_um: Positive = 5
    """Median residual, in um, above which the slide is marked fail."""
    warn_p95_um: Positive = 6
    """95th percentile of the residuals, in um, above which the slide is marked warn: part of it has drifted."""
    min_measured: Share = 0.2
    """Share of the tiles with enough nuclei that must show a peak; below it the slide is marked fail."""
    min_inside: Share = 0.1
    """Share of the nuclei that must fall on the H&E; below it the slide is marked fail."""
    warn_inside: Share = 0.5
    """The same, below which the slide is marked warn: the H&E shows a part of the slide only."""
    min_on_tissue: Share = 0.2
    """Of the nuclei that fall on the H&E, the share that must lie on tissue; below it the slide is marked fail."""
    warn_on_tissue: Share = 0.5
    """The same, below which the slide is marked warn: tissue is missing, or the place is wrong."""
    max_size_mismatch: Share = 0.15
    """Relative difference of the pixel size that the H&E file states from the one that the alignment gives, above which the slide is marked warn."""
    max_anisotropy: Annotated[float, Field(ge=1)] = 1.05
    """Largest stretch of the alignment over its smallest, above which the slide is marked warn."""
    max_shear_deg: Annotated[float, Field(ge=0, le=90)] = 3
    """Angle in degrees by which the alignment shears the H&E, above which the slide is marked warn."""


class AnnotateSettings(Settings):
    """Score every nucleus and cell against the reference with Tangram."""

    revision: Literal[2] = 2
    seed: Seed = 1
    """Seed of the cells taken from the reference, of tangram-sc's bags, and of the optimiser's start."""
    engine: Literal["exact", "tangram-sc"] = "exact"
    """exact: the objective of tangram-sc on sparse counts, the whole slide at once and many times faster; tangram-sc: the
    package, in bags of cells."""
    mode: Literal["clusters", "cells"] = "clusters"
    """What is placed: clusters, the labels' mean profiles; or cells, single cells of the reference, whose shares are added up
    by label (tangram-sc only; its memory grows with bag_cells times the reference cells)."""
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    """Where the engine exact runs: cuda needs a GPU that torch can use, auto takes one where there is one. The CPU gives the same
    bits on any number of cores; a GPU the same up to rounding."""
    bag_cells: Annotated[int, Field(ge=100)] = 10_000
    """Cells that tangram-sc maps together, as it cannot hold a slide; the engine exact has no bags."""
    epochs: Annotated[int, Field(ge=1)] = 400
    """Steps of the optimiser, at most."""
    density_epochs: Count = 150
    """Steps, at most, of the first mapping, which measures how much of the slide's RNA each label has; 0 gives every
    label an equal share."""
    tolerance: Share = 1e-5
    """The engine exact stops once its objective has varied by less than this share of itself over ten steps; 0 takes every step."""
    learning_rate: Annotated[float, Field(gt=0, le=5)] = 0.1
    """Step size of Adam."""
    gene_weight: Positive = 1.0
    """Weight of the genes' mean cosine (lambda_g1)."""
    cell_weight: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the cells' mean cosine (lambda_g2)."""
    density_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the divergence of the placed RNA from density_prior (lambda_d)."""
    entropy_weight: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the placement's entropy, in nats, summed over labels (lambda_r): more puts every label on fewer cells."""
    density_prior: Literal["rna_count_based", "uniform"] = "rna_count_based"
    """How much RNA a cell should get: its share of the counts, or as much as any other."""
    cells_per_label: Annotated[int, Field(ge=1)] = 1000
    """Random reference cells of each label that are read, at most; a rarer label is read whole."""
    donor_columns: tuple[str, ...] = (
        "donor_id",
        "donor",
        "patient",
        "sample_id",
        "sample",
        "batch",
    )
    """Columns of obs that tell donors or batches apart, in any case: the reference cells of a label are taken evenly from those of
    the first column that the reference has; none takes them from all cells alike."""
    min_label_cells: Annotated[int, Field(ge=1)] = 5
    """Labels with fewer reference cells are left out."""
    min_shared_genes: Annotated[int, Field(ge=1)] = 50
    """The panel and the reference must share at least so many genes."""
    metacells_per_label: Annotated[int, Field(ge=1, le=100)] = 1
    """Profiles that a label is split into, at most, where its cells have several states; their shares are added up by label. 1 is
    the mean of its cells, and did best on most simulated slides. Time and memory of the mapping grow with it."""
    min_metacell_cells: Annotated[int, Field(ge=1)] = 20
    """Reference cells that a profile is made of, at least, where a label is split."""
    label_transfer: bool = False
    """Also transfer labels by logistic regression (as CellTypist does), as a second opinion: two more columns, and its agreement
    with Tangram in the log."""
    transfer_cells_per_label: Annotated[int, Field(ge=10)] = 300
    """Reference cells of each label that the logistic regression learns from, at most."""

    @model_validator(mode="after")
    def _mode_has_an_engine(self) -> AnnotateSettings:
        if self.mode == "cells" and self.engine == "exact":
            raise ValueError(
                "expected mode clusters with engine exact, found cells; set engine to tangram-sc or mode to clusters"
            )
        return self


class ClusterSettings(Settings):
    """Cluster nuclei, cells, and both combined."""

    revision: Literal[2] = 2
    min_transcripts: Count = 10
    """Objects with fewer transcripts are left out."""
    seed: Seed = 0
    """Seed of approximate neighbours, Leiden, UMAP and scVI."""
    components: Annotated[int, Field(ge=2, le=100)] = 16
    """Principal components that neighbours are found in (and of each block of the combined table)."""
    neighbours: Annotated[int, Field(ge=2, le=100)] = 10
    """Nearest neighbours of an object, itself included."""
    resolutions: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.2, 0.4, 0.6, 2.0)
    """Leiden resolutions. The finest is the one that labels are decided on: rather too many clusters
    than two types in one."""
    exact_neighbours_below: Count = 50_000
    """Smaller tables get exact neighbours; in larger ones near lists are searched, which finds 99 of 100."""
    umap_rows: Annotated[int, Field(ge=1000)] = 200_000
    """UMAP is fitted to so many objects at most, drawn at random; the others lie between their neighbours."""
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    """Where neighbours, clusters and UMAP are found: cuda needs rapids-singlecell and a GPU, auto takes them where
    they are. The clusters of a GPU are not those of the CPU, and no test of ours runs on one."""
    ranked_genes: Annotated[int, Field(ge=1)] = 50
    """Genes kept of each cluster's ranking."""
    scvi: bool = False
    """Also cluster the cells in the latent space of scVI; needs ``pip install scvi-tools``."""
    scvi_dimensions: Annotated[int, Field(ge=2, le=100)] = 10
    """Dimensions of that latent space."""
    scvi_max_epochs: Annotated[int, Field(ge=1, le=1000)] = 100
    """Passes over all cells, at most; the training stops earlier when held-out cells gain no more."""


class RefineSettings(Settings):
    """Decide a class for every cluster, with the evidence written down."""

    revision: Literal[2] = 2
    min_transcripts: Count = 10
    """Cells with fewer transcripts become Other."""
    resolution: Positive | None = None
    """Leiden resolution of the clusters that are decided on; null takes the finest of the stage cluster."""
    min_marker_score: Annotated[float, Field(ge=0)] = 1.0
    """The markers of a class speak if they rise by so many log2 steps above the slide's base level."""
    min_marker_margin: Annotated[float, Field(ge=0)] = 0.5
    """Markers overrule Tangram if their class leads the next one by so many log2 steps."""
    min_tangram_share: Share = 0.6
    """Where the markers do not decide, Tangram does if so many of the cluster's cells agree."""
    cell_log_odds: Positive | None = 2.0
    """A cell leaves the class of its cluster if its own evidence favours another by more than this natural
    log odds (2 is 7 to 1); null leaves every cell with its cluster."""
    molecule_weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Weight of a molecule in a cell's own evidence; below 1 as counts vary more than Poisson."""
    min_cluster_purity: Share = 0.98
    """A cluster is searched for parts if Tangram names its commonest class for a smaller share of its cells, or if its
    markers do not tell two classes apart. It is taken apart only where the markers of the parts name different classes;
    0 leaves all clusters whole."""
    min_split_cells: Annotated[int, Field(ge=1)] = 10
    """Cells that a part of a cluster must have."""


class TileSettings(Settings):
    """Cut the H&E into a grid of patches; measure their tissue and their blur."""

    revision: Literal[2] = 2
    side_px: Annotated[int, Field(ge=32)] = 256
    """Side of a patch, in pixels of the scale."""
    overlap_px: Count = 64
    """Overlap of neighbouring patches, in pixels of the scale."""
    tissue_um_per_px: Positive = 8
    """Resolution at which tissue is told from glass, in um per pixel."""
    tissue_min_density: Positive = 0.05
    """Optical density (base 10) above the glass from which a spot is tissue; raise it where glass is taken for tissue."""

    @model_validator(mode="after")
    def _overlap_is_smaller(self) -> TileSettings:
        if self.overlap_px >= self.side_px:
            raise ValueError(
                f"expected overlap_px below side_px ({self.side_px}), found {self.overlap_px}"
            )
        return self


class RasteriseSettings(Settings):
    """Draw the nuclei of every patch."""

    revision: Literal[3] = 3
    source: Literal["polygons", "raster"] = "polygons"
    """What is drawn: the outlines of the bundle, which are simplified (about 25 corners), straight at the scale; or its
    exact nucleus raster (``cells.zarr.zip``), by nearest neighbour, so in steps of a morphology pixel."""
    min_visible_px: Count = 10
    """A nucleus with fewer visible pixels in a patch is not drawn there."""
    compared_patches: Count = 64
    """Patches with nuclei, evenly spread, on which outlines and raster are compared where the bundle has both; 0 for none."""

    @property
    def reads_raster(self) -> bool:
        """Whether the nucleus raster of the bundle is read at all."""
        return self.source == "raster" or self.compared_patches > 0


class GatherSettings(Settings):
    """Make one folder of the masks that several jobs drew."""

    revision: Literal[1] = 1


class GatherPredictionsSettings(Settings):
    """Make one folder of the predictions that several jobs made."""

    revision: Literal[1] = 1


class SegmentSettings(Settings):
    """Find nuclei in the H&E patches without knowing the Xenium ones."""

    revision: Literal[2] = 2
    method: Literal["auto", "haematoxylin", "cellvit"] = "auto"
    """haematoxylin: threshold and watershed of the stain, without a model; cellvit: a CellViT network; auto: cellvit where a checkpoint
    is named, and for simulated slides, whose tissue the shipped network knows; haematoxylin elsewhere. Instance maps that the
    sheet of slides names in its column predictions take the place of all."""
    checkpoint: str | dict[str, str] = ""
    """Checkpoint of the network: a path, ``toy`` for the small one that is shipped and knows simulated tissue only,
    or one of these for every scale, by its name."""
    trust_checkpoint: bool = False
    """Also open a checkpoint that can run code when it is read, as some older ones can: only if you trust who made it."""
    magnification: Literal["auto", "20", "40"] = "auto"
    """Magnification whose constants split touching nuclei (cellvit only): auto takes 40 for pixels below 0.35 um, else 20."""
    min_tissue: Share = 0
    """Patches with a share of tissue of this or less are not segmented: 0 leaves out bare glass. They are null in the metrics, for no_tissue
    where the mask shows nuclei; maps that the sheet names are taken over whatever their tissue."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the network runs; auto takes a GPU that torch can use, where there is one. Devices agree up to rounding."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Numbers of the network; auto takes fp32 on the CPU, and on a GPU what it is fast with."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Patches that go through the network together, at most 32; null is 1 on the CPU, and on a GPU as many as its memory holds."""
    smoothing_um: Annotated[float, Field(ge=0)] = 0.5
    """Standard deviation of the blur on the haematoxylin, in um."""
    local_share: Share = 0.5
    """Weight of the patch's own Otsu threshold; the rest is that of the slide."""
    sample_patches: Annotated[int, Field(ge=1)] = 64
    """Patches of tissue, evenly spread, that set the threshold of the slide."""
    opening_um: Annotated[float, Field(ge=0)] = 0.75
    """Radius of the disc that cuts thin bridges and specks, in um."""
    max_hole_um2: Annotated[float, Field(ge=0)] = 12
    """Holes up to this area are filled, in um2."""
    split_depth_um: Positive = 0.75
    """How much deeper than their bridge two cores must lie to be two nuclei, in um."""
    min_area_um2: Annotated[float, Field(ge=0)] = 10
    """Smaller objects are no nuclei, in um2."""
    max_area_um2: Positive = 400
    """Larger objects are no nuclei, in um2."""

    @model_validator(mode="after")
    def _network_has_a_checkpoint(self) -> SegmentSettings:
        if self.method == "cellvit" and not self.checkpoint:
            raise ValueError(
                "expected a checkpoint with method cellvit, found none; name its file, or set checkpoint to toy"
            )
        return self

    def checkpoint_at(self, scale: str, *, simulated: bool = False) -> Path | None:
        """Return the checkpoint of a scale, for slides that are simulated or not; None if none is used there."""
        if self.method == "haematoxylin":
            return None
        named = self.checkpoint if isinstance(self.checkpoint, str) else self.checkpoint.get(scale)
        if self.method == "auto" and simulated:
            named = named or TOY
        return (TOY_CHECKPOINT if named == TOY else Path(named)) if named else None


class AssessSettings(Settings):
    """Compare the masks with the segmented nuclei, patch by patch."""

    revision: Literal[2] = 2
    displaced_patches: Count = 64
    """Patches, those with most nuclei all over the slide, whose masks are displaced by known distances to tell what a Jaccard index means
    in um; 0 for none."""
    inference_results: bool = False
    """Also write ``inference_results_{scale}.json``, as CellViT's own evaluation does."""


class TrainSettings(Settings):
    """Train a network of the CellViT family on an exported dataset, from nothing or from a checkpoint."""

    revision: Literal[1] = 1
    start: Path | None = None
    """Checkpoint to start from: what fits of it is taken over, its heads only where the classes are the same. None starts from
    random numbers."""
    trust_start: bool = False
    """Also open a checkpoint to start from that can run code when it is read: only if you trust who made it."""
    network: Literal["auto", "small", "ViT256", "SAM-B", "SAM-L", "SAM-H"] = "auto"
    """Shape of the network: auto takes that of the checkpoint to start from, without one the small one; the others are the
    published ones, which want a GPU."""
    embed_dim: Annotated[int, Field(ge=8, le=2048)] = 64
    """Length of a token (small only); a multiple of heads."""
    depth: Annotated[int, Field(ge=4, le=64)] = 4
    """Blocks of the encoder (small only)."""
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Attention heads (small only)."""
    decoder_widths: Widths = (16, 16, 32, 48, 64, 48, 32)
    """Channels of the decoders (small only): first block on the image; full, half, quarter and eighth resolution; the skips of the
    first encoder outputs at an eighth and a quarter."""
    shared_decoder: bool = True
    """One decoder with three heads, instead of three decoders (small only): a third of the time."""
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 130
    """Epochs at most."""
    patches_per_epoch: Count = 0
    """Views that an epoch shows; 0: as many as there are patches."""
    batch_size: Annotated[int, Field(ge=2, le=4096)] = 16
    """Patches of a step."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-4
    """Of AdamW, at its highest."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 1e-4
    """Of AdamW."""
    betas: tuple[Memory, Memory] = (0.85, 0.95)
    """Of AdamW: memory of the mean and of the spread of the gradient."""
    max_gradient_norm: Positive = 5.0
    """Longer gradients are shortened to this."""
    schedule: Literal["cosine", "exponential"] = "cosine"
    """How the learning rate falls: to a hundredth at the last epoch along a cosine, or by ``decay`` every epoch."""
    decay: Annotated[float, Field(gt=0, le=1)] = 0.85
    """Factor of the learning rate after every epoch (exponential only)."""
    warmup_epochs: Annotated[float, Field(ge=0)] = 1.0
    """The learning rate rises from 0 for so many epochs."""
    freeze_encoder_epochs: Count = 0
    """The encoder rests for so many epochs: for a start from a checkpoint (CellViT: 25)."""
    patience: Count = 20
    """The training stops after so many epochs without a better validation; 0: never."""
    stop_on: Literal["bPQ", "Dice"] = "bPQ"
    """What is better: the measure on the validation split that also picks the epoch whose network is kept."""
    gamma: Share = 0.85
    """How much more often patches of rare tissues and classes are shown: 0 not at all, 1 in proportion to their rarity."""
    turn: bool = True
    """Show patches turned by quarters and mirrored, too."""
    stain_jitter: Share = 0.15
    """Largest relative change of the amount of each stain."""
    colour_jitter: Share = 0.1
    """Largest relative change of contrast, and twice that of brightness as a share of white."""
    blur_px: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Largest standard deviation of the blur that one view in four gets, in px."""
    zoom: Annotated[float, Field(ge=0.25, le=1)] = 1.0
    """Smallest size of a view relative to its patch: 0.5 lets a network for 0.25 um per px also serve 0.5."""
    nucleus_tversky: Weight = 1.0
    """Weight of the focal Tversky loss of the nuclei."""
    nucleus_dice: Weight = 1.0
    """Weight of the Dice loss of the nuclei."""
    hv_mse: Weight = 2.5
    """Weight of the squared error of the distance maps."""
    hv_gradient: Weight = 8.0
    """Weight of the squared error of the gradients of the distance maps."""
    type_tversky: Weight = 0.5
    """Weight of the focal Tversky loss of the types."""
    type_dice: Weight = 0.2
    """Weight of the Dice loss of the types."""
    type_entropy: Weight = 0.5
    """Weight of the cross-entropy of the types."""
    tissue_entropy: Weight = 0.1
    """Weight of the cross-entropy of the tissue."""
    use_class_weights: bool = True
    """Weigh the classes in the losses of the types as ``weight_config.yaml`` says: by rarity, Other hardly."""
    magnification: Literal["auto", "20", "40"] = "auto"
    """Magnification whose constants split touching nuclei; auto takes 40 for datasets below 0.35 um per px, else 20."""
    mean: tuple[Share, Share, Share] = (0.5, 0.5, 0.5)
    """Subtracted from red, green and blue, which are between 0 and 1; a checkpoint to start from has its own."""
    std: tuple[Positive, Positive, Positive] = (0.5, 0.5, 0.5)
    """Divides red, green and blue after that."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network runs: auto takes a GPU if torch sees one."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of the products: auto takes bf16 on a GPU that has it, else fp16 there, and fp32 on a CPU."""
    half_weights: bool = False
    """Store the weights in 16 bits: half the file, differences of the last digits."""
    seed: Seed = 42
    """Seed of the first weights, of the order of the patches and of their views."""

    @model_validator(mode="after")
    def _heads_share_the_token_out(self) -> TrainSettings:
        if self.embed_dim % self.heads:
            raise ValueError(
                f"expected embed_dim to be a multiple of heads, found {self.embed_dim} and {self.heads}"
            )
        return self


class CellvitFeatures(Settings):
    """Features from the tokens of a CellViT checkpoint, and what the network calls every nucleus."""

    kind: Literal["cellvit"]
    """A CellViT checkpoint."""
    checkpoint: Annotated[str, Field(min_length=1)]
    """Path of the checkpoint, or ``toy`` for the small one that is shipped."""
    trust_checkpoint: bool = False
    """Also open a checkpoint that can run code when it is read: only if you trust who made it."""
    rule: Literal["mean", "published"] = "mean"
    """mean: tokens weigh as much as the nucleus has pixels in their block, over all patches, so that features do not grow with the
    nucleus and a nucleus that a patch cuts counts by what is left of it. published: sum over touched blocks, mean over
    patches, as in STHELAR."""

    @property
    def source(self) -> Path:
        """File of the model."""
        return TOY_CHECKPOINT if self.checkpoint == TOY else Path(self.checkpoint)


class TransformersFeatures(Settings):
    """Features of a model of the transformers library (Phikon-v2, ViT) from a folder on disk."""

    kind: Literal["transformers"]
    """A folder with config.json, preprocessor_config.json and safetensors."""
    folder: Path
    """The folder; nothing is downloaded."""
    view: Literal["nucleus", "patch"] = "nucleus"
    """What the model sees. nucleus: a square around every nucleus, one run each. patch: the patches, and a nucleus has the tokens under it,
    as in STHELAR; tens of times fewer runs."""
    pooling: Literal["cls", "mean"] = "cls"
    """Class token, or mean of the others (view nucleus only)."""
    rule: Literal["mean", "published"] = "mean"
    """How tokens are joined (view patch only), as for kind cellvit."""

    @property
    def source(self) -> Path:
        """Folder of the model."""
        return self.folder


class EmbedSettings(Settings):
    """Describe every nucleus by the features of image models, and cluster it by them."""

    revision: Literal[1] = 1
    models: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")],
        Annotated[CellvitFeatures | TransformersFeatures, Field(discriminator="kind")],
    ] = {}
    """Models by the name that their table ``features_{name}`` gets: cellvit, phikonv2 and vit_google in STHELAR. None makes no table."""
    scale: Annotated[str, Field(pattern=r"^[A-Za-z0-9]*$")] = ""
    """Scale whose patches are looked at; empty takes the first."""
    crop_um: Positive | None = None
    """Side of the square around a nucleus (view nucleus), in um; null takes that of a patch, which is what the original models saw."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where models run; auto takes a GPU that torch can use, where there is one. Devices agree up to rounding."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Numbers of the models' products; auto takes fp32 on the CPU, and on a GPU what the model is made for."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Images that go through a model together; null takes what fits."""
    variance: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Share of the variance of the standardised features that the components keep in which nuclei are clustered."""
    max_clusters: Annotated[int, Field(ge=1, le=100)] = 10
    """Numbers of clusters from 1 to this are tried; that at the elbow is taken."""
    cluster_rows: Annotated[int, Field(ge=1000)] = 50_000
    """Nuclei that the centres are fitted to, at most, drawn at random; all are given to the nearest."""
    seed: Seed = 42
    """Seed of that draw and of k-means."""

    def only(self, model: str) -> EmbedSettings:
        """Return what one model needs: a change of another does not rerun it."""
        return self.model_copy(update={"models": {model: self.models[model]}, "scale": ""})


class AssembleSettings(Settings):
    """Put everything of a slide into one SpatialData zarr."""

    revision: Literal[1] = 1
    chunk_px: Annotated[int, Field(ge=64, le=4096, multiple_of=2)] = 512
    """Side of an image chunk, in pixels: smaller reads a patch faster, larger makes fewer files."""
    zip: bool = False
    """Also write ``sdata_{slide}.zarr.zip``, uncompressed."""


class ReportSettings(Settings):
    """Write the report of a slide."""

    revision: Literal[1] = 1
    min_jaccard: Share = 0.45
    """Patches with this Jaccard index or more count as kept: the published advice for training."""
    min_kept: Share = 0.5
    """Share of the measured patches that must be kept for the masks to pass; below, the report warns."""
    min_decided: Share = 0.5
    """Share of the cells with enough transcripts for whose class something must speak; below, the report warns."""
    gallery_patches: Annotated[int, Field(ge=1, le=12)] = 4
    """Number of best, of median and of worst patches that are shown at each scale."""
    picture_px: Annotated[int, Field(ge=200, le=3000)] = 1400
    """Longer side of the pictures in the page, in pixels; larger ones are reduced."""


SplitStrategy = Literal["auto", "patient", "slide", "space", "random_leaky"]


class CollectSettings(Settings):
    """Gather all slides: statistics and splits."""

    revision: Literal[2] = 2
    strategy: SplitStrategy = "auto"
    """What is kept apart: patients, slides, space (bands of each slide), or nothing (random_leaky).

    auto takes patients if there are at least three, else space. All share out the rarest class first."""
    frozen_splits: Path | None = None
    """A copy of the ``splits.parquet`` of an earlier run: its splits are used again, and the settings of splits do not matter.
    ``{scale}`` in the path stands for the name of the scale. It must have the patches of this run and be unchanged."""
    shares: tuple[Share, Share, Share] = (0.6, 0.2, 0.2)
    """Shares of train, valid and test; they sum to 1."""
    guard_px: Count = 64
    """Least gap between patches of different splits in one slide, in px of the scale (space only)."""
    min_verdict: Literal["pass", "warn", "fail"] = "warn"
    """Slides whose registration is judged worse are left out of the datasets; fail keeps all."""
    max_deviation: Positive = 3.5
    """A class of a slide is flagged where its share, or its markers, lie further from the other slides' median than
    this, in robust standard deviations (1.4826 MAD)."""
    min_siblings: Annotated[int, Field(ge=4)] = 4
    """Slides that it takes to judge one of them; of the same tissue where there are so many, else of any. With three
    nobody can tell which is the odd one."""
    min_class_cells: Annotated[int, Field(ge=1)] = 50
    """Cells of a class that a slide must have for its markers to be compared."""
    seed: Seed = 42
    """Seed of the splits."""

    @field_validator("shares")
    @classmethod
    def _sum_to_one(cls, shares: tuple[float, float, float]) -> tuple[float, float, float]:
        if abs(sum(shares) - 1) > 1e-9:
            raise ValueError("expected shares of train, valid and test that sum to 1")
        return shares

    def frozen_splits_at(self, scale: str) -> Path | None:
        """Return the frozen splits of a scale; None if there are none."""
        return self.frozen_splits and Path(str(self.frozen_splits).replace(SCALE, scale))


class EvaluateSettings(Settings):
    """Predict a slide with a network that was trained on the dataset, and compare with its masks and labels."""

    revision: Literal[1] = 1
    checkpoint: Path | None = None
    """Checkpoint of the network: a path, or ``toy`` for the small one that is shipped. Null evaluates nothing."""
    trust_checkpoint: bool = False
    """Also open a checkpoint that can run code when it is read: only if you trust who made it."""
    scale: str | None = None
    """Name of the scale whose patches are predicted, the one that the network was trained at; null takes the first of ``scales``."""
    splits: tuple[Literal["train", "valid", "test"], ...] = ("test",)
    """Splits whose patches are predicted. Empty takes all patches of slides that are well registered, those in no split too."""
    magnification: Literal["auto", "20", "40"] = "auto"
    """Magnification whose constants split touching nuclei; auto takes that of the pixel size."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the network runs; auto takes a GPU that torch can use, where there is one."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Numbers of the network; auto takes fp32 on the CPU, and on a GPU what it was trained with."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Patches that go through the network together; null finds how many the memory holds."""

    @property
    def checkpoint_file(self) -> Path | None:
        """The checkpoint as a path; None if nothing is evaluated."""
        return TOY_CHECKPOINT if str(self.checkpoint) == TOY else self.checkpoint


class CompareSettings(Settings):
    """Gather the evaluations of all slides: tables, figures, a page."""

    revision: Literal[1] = 1
    behind: Share = 0.1
    """A slide falls behind where its bPQ, detection F1 or balanced accuracy lies further below the median of the slides than this."""
    confused: Share = 0.1
    """Two classes are confused where at least this share of the nuclei of one is taken for the other."""
    min_nuclei: Annotated[int, Field(ge=1)] = 20
    """Classes, and slides, with fewer nuclei are not judged in words."""
    features: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")], ...] = ()
    """Models of embed whose ``features_{model}.h5ad`` are probed: how well a linear classifier that has not seen a slide tells its
    classes apart."""
    probed_nuclei: Annotated[int, Field(ge=10)] = 2000
    """Nuclei of a slide that the classifier sees, at most, every class alike."""
    seed: Seed = 42
    """Seed of the nuclei that the classifier sees."""


class DescribeSettings(Settings):
    """Describe the dataset: card, page, Croissant, sample pictures."""

    revision: Literal[1] = 1
    title: Annotated[str, Field(min_length=1)] = "Cell types in H&E, from Xenium"
    """Name of the dataset on its card."""
    licence: str = ""
    """Licence of the dataset, as an SPDX id (CC-BY-4.0) or URL; empty says none."""
    url: str = ""
    """Where the dataset can be found; may be empty."""
    creators: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Who made the dataset: names of people or organisations."""
    date_published: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    """Day of publication, as 2026-11-21; empty says none. A setting, so that the same run gives the same card."""
    citation: str = ""
    """How to cite the dataset, in BibTeX or plain words."""
    samples_per_slide: Annotated[int, Field(ge=1, le=12)] = 5
    """Patches of every slide in the picture of samples."""
    max_sample_slides: Annotated[int, Field(ge=1, le=100)] = 12
    """Slides in the picture of samples, at most: evenly spread over those of the dataset."""


class ExportSettings(Settings):
    """Write the patches of all slides as a dataset in one format."""

    revision: Literal[1] = 1
    min_nuclei: Count = 1
    """Patches with fewer nuclei in the mask are left out."""
    min_tissue: Share = 0
    """Patches with a smaller share of tissue are left out."""
    max_blur_um: Positive | None = None
    """Patches that are more blurred are left out, in um: the standard deviation of the Gaussian that their tissue looks blurred
    by. Sharp slides have about 0.5; from 1 to 1.5 nuclei lose their texture. Not relative to the slide: a limit in um means
    the same on every scanner, keeps all of a sharp slide, and nothing of one that is out of focus throughout."""
    dice: Interval = None
    """Interval of Dice to keep, both ends included; null keeps all, patches without a metric too."""
    jaccard: Interval = None
    """The same of Jaccard; the published advice for training is [0.45, 1]."""
    bpq: Interval = None
    """The same of bPQ."""
    png_level: Annotated[int, Field(ge=0, le=9)] = 1
    """Effort of PNG compression; lossless at any. 6 makes images 3 % smaller, and takes seven times as long as 1."""
    deflate_level: Annotated[int, Field(ge=0, le=9)] = 1
    """Effort of compression inside npz files; lossless at any."""
    pannuke_folds: bool = False
    """Also write PanNuke's fold form: ``fold_{train,valid,test}/{images,masks,types}.npy``."""
    huggingface_shard_rows: Annotated[int, Field(ge=100)] = 5000
    """Most rows of a Hugging Face shard."""
    grouping: Literal["detailed", "grouped", "cancer_normal"] = "detailed"
    """Classes of the patch formats: detailed (nine), grouped (Immune, Stromal, Epithelial, Melanocyte, Other), or
    cancer_normal (cancer_cell, normal_cell, and Other where label3 gives no answer)."""


class ExportSlidesSettings(Settings):
    """Write whole slides, labelled and placed on their H&E, as a dataset in one format."""

    revision: Literal[1] = 1
    min_verdict: Literal["pass", "warn", "fail"] = "warn"
    """Slides whose registration is judged worse are left out of formats that lie on the H&E; fail keeps all."""
    spot_layout: Literal["square", "hex"] = "square"
    """Pseudo-Visium spots of hest and stimage: squares in rows and columns, or discs in a hexagonal lattice. Squares side
    by side lose no transcript, and are what HEST-1k has for Xenium; hex with 55 and 100 um is the geometry of Visium."""
    spot_um: Positive = 100
    """Side of a square spot or diameter of a disc, in um."""
    spot_spacing_um: Positive = 100
    """Distance between the centres of neighbouring spots, in um; at least ``spot_um``."""
    spot_min_counts: Annotated[int, Field(ge=1)] = 1
    """Spots with fewer counted transcripts are left out."""
    spot_min_qv: Annotated[float, Field(ge=0)] = 20
    """Transcripts of lower quality are not counted in spots."""
    hest_min_tissue: Share = 0.15
    """Spots whose patch has a smaller share of tissue get no patch in hest; HEST's own limit."""
    stimage_um_per_px: Positive = 1
    """Size of a pixel of stimage's whole-slide image, in um; at 1 most slides open without lifting Pillow's limit."""
    qupath_gzip_nuclei: Count = 100_000
    """Slides with more nuclei get their QuPath file compressed (``.geojson.gz``)."""
    species: Annotated[str, Field(min_length=1)] = "Homo sapiens"
    """Species, as hest and stimage state it."""

    @model_validator(mode="after")
    def _spots_apart(self) -> ExportSlidesSettings:
        if self.spot_um > self.spot_spacing_um:
            raise ValueError("expected spot_um of at most spot_spacing_um: spots must not overlap")
        return self


SCALE = "{scale}"
"""Stands for the name of a scale in the path of predictions."""


class Slide(Settings):
    """One row of ``slides.tsv``."""

    slide: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]
    """Name of the slide: letters, digits and _; unique."""
    patient: Annotated[str, Field(min_length=1)]
    """Patient; slides of one patient never meet in different splits when the split is by patient."""
    tissue: Annotated[str, Field(min_length=1)]
    """Tissue, as it will stand in the datasets."""
    condition: Literal["cancer", "normal"]
    """cancer or normal."""
    xenium: Path
    """Folder of the Xenium bundle (the one that holds experiment.xenium)."""
    he: Path
    """Whole-slide H&E image."""
    alignment: Annotated[str, Field(min_length=1)]
    """auto, identity, or the path of a 3x3 csv, a keypoints csv, or an Explorer zip."""
    reference: Annotated[str, Field(min_length=1)]
    """Key of the reference atlas in references.tsv."""
    predictions: Path | None = None
    """Instance maps made elsewhere (h5), to be used instead of segmenting; may be empty.

    ``{scale}`` in the path stands for the name of the scale: a file serves one."""

    @field_validator("predictions", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None

    def predictions_at(self, scale: str) -> Path | None:
        """Return the predictions for a scale; None if there are none."""
        return self.predictions and Path(str(self.predictions).replace(SCALE, scale))

    @property
    def alignment_file(self) -> Path | None:
        """The alignment as a path; None for the words auto and identity."""
        return None if self.alignment in {"auto", "identity"} else Path(self.alignment)


class Reference(Settings):
    """One row of ``references.tsv``."""

    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    """Key, as slides.tsv names it."""
    path: Path
    """Reference atlas, h5ad."""
    label_key: Annotated[str, Field(min_length=1)]
    """Column of obs that holds the cell-type labels."""
    layer: str = ""
    """Layer of raw counts; empty takes X."""
    label_map: Path | None = None
    """Table fine label -> class (tsv with columns label, class); empty takes the built-in vocabulary."""

    @field_validator("label_map", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None


PatchFormat = Literal["pannuke", "sthelar", "cellvit", "cellvit_plus", "huggingface"]
"""Formats made of patches: written once for every scale."""
SlideFormat = Literal["qupath", "explorer", "hest", "stimage"]
"""Formats made of whole slides: they have no scale, and are written once."""
ExportFormat = Literal[PatchFormat, SlideFormat]

_SCALE_WORDS = ("native", "native/2")


def _check_scale(value: str) -> str:
    if value in _SCALE_WORDS:
        return value
    try:
        um_per_px = float(value)
    except ValueError:
        um_per_px = math.nan
    if not 0 < um_per_px < 10:
        raise ValueError("expected native, native/2, or a number in um/px")
    return value


class Config(Settings):
    """The whole run: what ``config/config.yaml`` may say."""

    slides: Path = Path("config/slides.tsv")
    """Sheet of slides."""
    references: Path = Path("config/references.tsv")
    """Sheet of reference atlases."""
    curation: Path = Path("config/curation")
    """Folder of human decisions: ``{slide}.tsv`` changes the labels of clusters or cells."""
    scales: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")], str] = {
        "40x": "native",
        "20x": "native/2",
    }
    """Name of each scale, and what it is: native (level 0), native/2, or um per px."""
    formats: tuple[ExportFormat, ...] = ("pannuke", "sthelar", "cellvit", "huggingface")
    """Dataset formats to write: pannuke, sthelar, cellvit, cellvit_plus and huggingface at every scale; qupath, explorer,
    hest and stimage, which have no scale of ours, once."""
    shards: Annotated[int, Field(ge=1, le=999)] = 1
    """Jobs that draw the masks of one slide at one scale, and that segment it, each some rows of the grid: for clusters of small nodes,
    or of several GPUs. The result is the same whatever the number; one job draws the largest slides in minutes."""
    simulate: dict[str, SimulateSettings] = {}
    """Recipes of the toy slides, by name."""
    preflight: PreflightSettings = PreflightSettings()
    ingest: IngestSettings = IngestSettings()
    count: CountSettings = CountSettings()
    register_: RegisterSettings = Field(default=RegisterSettings(), alias="register")
    annotate: AnnotateSettings = AnnotateSettings()
    cluster: ClusterSettings = ClusterSettings()
    refine: RefineSettings = RefineSettings()
    tile: TileSettings = TileSettings()
    rasterise: RasteriseSettings = RasteriseSettings()
    gather: GatherSettings = GatherSettings()
    segment: SegmentSettings = SegmentSettings()
    gather_predictions: GatherPredictionsSettings = GatherPredictionsSettings()
    assess: AssessSettings = AssessSettings()
    train: TrainSettings = TrainSettings()
    embed: EmbedSettings = EmbedSettings()
    assemble: AssembleSettings = AssembleSettings()
    report: ReportSettings = ReportSettings()
    collect: CollectSettings = CollectSettings()
    export: ExportSettings = ExportSettings()
    export_slides: ExportSlidesSettings = ExportSlidesSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    compare: CompareSettings = CompareSettings()
    describe: DescribeSettings = DescribeSettings()

    @field_validator("scales")
    @classmethod
    def _known_scales(cls, scales: dict[str, str]) -> dict[str, str]:
        return {name: _check_scale(value) for name, value in scales.items()}

    @model_validator(mode="after")
    def _known_evaluated_scale(self) -> Config:
        wanted = self.evaluate.scale
        if wanted is not None and wanted not in self.scales:
            raise ValueError(
                f"expected evaluate.scale to be one of {', '.join(self.scales)}, found {wanted}; correct it"
            )
        return self

    @property
    def evaluated_scales(self) -> list[str]:
        """The scale at which a trained network is evaluated; none without a checkpoint."""
        if self.evaluate.checkpoint is None:
            return []
        return [self.evaluate.scale or next(iter(self.scales))]

    @model_validator(mode="after")
    def _features_have_a_scale(self) -> Config:
        if self.embed.scale and self.embed.scale not in self.scales:
            raise ValueError(
                f"expected embed.scale to be one of the scales {', '.join(self.scales)}, found {self.embed.scale}"
            )
        return self

    @property
    def features_scale(self) -> str:
        """Name of the scale whose patches ``embed`` looks at."""
        return self.embed.scale or next(iter(self.scales))

    @property
    def patch_formats(self) -> list[str]:
        """The formats that are written for every scale."""
        return [name for name in self.formats if name in get_args(PatchFormat)]

    @property
    def slide_formats(self) -> list[str]:
        """The formats that are written once."""
        return [name for name in self.formats if name in get_args(SlideFormat)]

    def settings_of(self, stage: str) -> Settings:
        """Return the settings of a stage by its name."""
        # ``register`` is taken: every pydantic model inherits a method of that name.
        settings: Settings = getattr(self, "register_" if stage == "register" else stage)
        return settings


Row = TypeVar("Row", bound=Settings)


def load_config(values: Mapping[str, Any]) -> Config:
    """Validate what the configuration file holds; ConfigError names every problem on one line."""
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(f"configuration: {problems(error)}") from error


def load_slides(path: Path) -> dict[str, Slide]:
    """Read ``slides.tsv``: slide name -> row."""
    return _by_key(path, _read_sheet(path, Slide), "slide")


def load_references(path: Path) -> dict[str, Reference]:
    """Read ``references.tsv``: key -> row."""
    return _by_key(path, _read_sheet(path, Reference), "reference")


def check_references(
    slides: Mapping[str, Slide], references: Mapping[str, Reference], sheet: Path
) -> None:
    """Raise ConfigError if a slide names a reference that the other sheet does not have."""
    for slide in slides.values():
        if slide.reference not in references:
            raise ConfigError(
                f"{sheet}: slide {slide.slide}: expected a reference of the other sheet "
                f"({', '.join(sorted(references)) or 'it is empty'}), found {slide.reference!r}; "
                "add it there or correct the name"
            )


def check_predictions(slides: Mapping[str, Slide], scales: Sequence[str], sheet: Path) -> None:
    """Raise ConfigError if a slide has one file of predictions for several scales."""
    for slide in slides.values():
        if slide.predictions and len(scales) > 1 and SCALE not in str(slide.predictions):
            raise ConfigError(
                f"{sheet}: slide {slide.slide}: expected {SCALE} in the path of the predictions, as a file serves one of "
                f"the scales {', '.join(scales)}, found {str(slide.predictions)!r}; give one h5 for each scale"
            )


def check_frozen_splits(config: Config) -> None:
    """Raise ConfigError if one file of frozen splits is to serve several scales."""
    path = config.collect.frozen_splits
    if path and len(config.scales) > 1 and SCALE not in str(path):
        raise ConfigError(
            f"configuration: collect.frozen_splits: expected {SCALE} in the path, as a file serves one of the scales "
            f"{', '.join(config.scales)}, found {str(path)!r}; give one file for each scale"
        )


def check_checkpoints(config: Config) -> None:
    """Raise ConfigError if a scale is to be segmented by a network and has none."""
    for scale in config.scales:
        if config.segment.method == "cellvit" and not config.segment.checkpoint_at(scale):
            raise ConfigError(
                f"configuration: segment.checkpoint: expected one for every scale ({', '.join(config.scales)}), found none "
                f"for {scale}; name one file for all scales, or one for each"
            )


def problems(error: ValidationError) -> str:
    """Return all problems of a pydantic error on one line: where, what is wrong, what was found."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'value'}: {item['msg']}, found {item['input']!r}"
        for item in error.errors()
    )


def _read_sheet(path: Path, model: type[Row]) -> list[Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: expected a tab-separated sheet in UTF-8, found none; check the path"
        ) from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(lines, delimiter="\t")
    _check_header(path, list(reader.fieldnames or []), model)
    return [_parse_row(path, number, row, model) for number, row in enumerate(reader, start=1)]


def _check_header(path: Path, found: list[str], model: type[Row]) -> None:
    expected = list(model.model_fields)
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    wrong = [name for name in found if name not in expected] + [
        name for name in required if name not in found
    ]
    if wrong:
        raise ConfigError(
            f"{path}: expected the tab-separated columns {', '.join(expected)}, found {', '.join(found) or 'nothing'}; "
            f"see {', '.join(wrong)}"
        )


def _parse_row(path: Path, number: int, row: dict[str, Any], model: type[Row]) -> Row:
    values = {key: (value or "").strip() for key, value in row.items() if key is not None}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: row {number}: {problems(error)}") from error


def _by_key(path: Path, rows: list[Row], key: str) -> dict[str, Row]:
    twice = [name for name, n in Counter(getattr(row, key) for row in rows).items() if n > 1]
    if twice:
        raise ConfigError(
            f"{path}: expected every {key} once, found {', '.join(twice)} more than once; rename one"
        )
    if not rows:
        raise ConfigError(f"{path}: expected at least one row, found none; add one")
    return {getattr(row, key): row for row in rows}


def settings_json(settings: Settings) -> str:
    """Return settings as the one-line JSON that the command line takes; equal settings give equal text."""
    return settings.model_dump_json()
