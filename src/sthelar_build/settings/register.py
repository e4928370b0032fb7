"""Settings of the stage ``register``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Positive, Settings, Share


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
