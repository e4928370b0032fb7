"""Settings of the stage ``cluster``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Count, Positive, Seed, Settings


class ClusterSettings(Settings):
    """Cluster nuclei, cells, and both combined."""

    revision: Literal[3] = 3
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
    """Smaller tables get exact neighbours; in larger ones near lists are searched, which finds 99 of 100, and where
    more than log2(neighbours) objects are equal, one stands for all of them."""
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
