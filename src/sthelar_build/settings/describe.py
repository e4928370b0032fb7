"""Settings of the stage ``describe``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Positive, Settings


class DescribeSettings(Settings):
    """Describe the dataset: card, page, Croissant, sample pictures."""

    revision: Literal[2] = 2
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
    max_deviation: Positive = 3.5
    """A slide further than this from the median of all, in robust standard deviations, is called unlike the others."""
    min_slides: Annotated[int, Field(ge=4)] = 5
    """Of fewer slides none is called so: of three or four, none can be told to be the odd one."""
    thumbnail_px: Annotated[int, Field(ge=32, le=512)] = 128
    """Longer side of the picture of a slide in the table of slides."""
