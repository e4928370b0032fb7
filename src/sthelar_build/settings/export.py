"""Settings of the stage ``export``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Count, Interval, Positive, Settings, Share


class ExportSettings(Settings):
    """Write the patches of all slides as a dataset in one format."""

    revision: Literal[1] = 1
    min_nuclei: Count = 1
    """Patches with fewer nuclei in the mask are left out."""
    min_tissue: Share = 0
    """Patches with a smaller share of tissue are left out."""
    min_covered: Share = 0
    """Patches of whose tissue the Xenium run covers a smaller share are left out: there the H&E shows nuclei that have no
    label, and a model would learn them as background. 0.9 is advised for training; 0 keeps all, as published."""
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
