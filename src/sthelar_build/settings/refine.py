"""Settings of the stage ``refine``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Count, Positive, Settings, Share


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
