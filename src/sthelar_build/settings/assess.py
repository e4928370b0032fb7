"""Settings of the stage ``assess``."""

from __future__ import annotations

from typing import Literal

from sthelar_build.settings.base import Count, Settings


class AssessSettings(Settings):
    """Compare the masks with the segmented nuclei, patch by patch."""

    revision: Literal[2] = 2
    displaced_patches: Count = 64
    """Patches, those with most nuclei all over the slide, whose masks are displaced by known distances to tell what a Jaccard index means
    in um; 0 for none."""
    inference_results: bool = False
    """Also write ``inference_results_{scale}.json``, as CellViT's own evaluation does."""
