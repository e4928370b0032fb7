"""Settings of the stage ``compare``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Seed, Settings, Share


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
