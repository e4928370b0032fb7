"""Settings of the stage ``annotate``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sthelar_build.settings.base import Count, Positive, Seed, Settings, Share


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
