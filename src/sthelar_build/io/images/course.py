"""A slide on which registrations are tried: its windows and tiles, read from the H&E as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from sthelar_build.core.automatic import find_place
from sthelar_build.core.correction import CorrectedMap
from sthelar_build.core.drift import DriftRule, TileMeasured, measure_tile, tile_table
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.polish import Polished, polish, refining_steps
from sthelar_build.core.quality import FieldFacts, field_facts
from sthelar_build.core.straightening import StraighteningRule, straightened
from sthelar_build.core.tissue import TissueMap
from sthelar_build.core.verdict import Limits, is_right
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.images.placed_he import PlacedHe
from sthelar_build.io.images.search_view import SearchView
from sthelar_build.io.workers import map_threads
from sthelar_build.schema.frames import Affine, PointMap

_TAG_ERROR = 0.1
"""What the file states of its pixel size is off by no more, as a rule."""
_ANY_UM_PER_PX = (0.18, 1.1)
_MANY_TILES = 4000
_WIDE_UM_PER_PX = 1.0
"""Resolution at which shifts far beyond the usual ones are tried."""


@dataclass(frozen=True, eq=False)
class SlideCourse:
    """An open H&E, the nuclei, and the tiles; a ``core.contest.Course``."""

    image: HeImage
    nuclei: NucleusMap
    tiles: pd.DataFrame
    """As ``core.nucleus_tiles.tiles_with_nuclei`` gives them."""
    tissue: TissueMap
    rule: DriftRule
    limits: Limits
    straightening: StraighteningRule
    smoothing_um: float
    sampled_tiles: int
    """Tiles that are measured to compare registrations; the one that is kept is measured on all."""
    is_thorough: bool
    """Whether the search goes beyond the pixel size that the file states, if it must."""
    threads: int

    @property
    def _view(self) -> SearchView:
        return SearchView(self.image, self.smoothing_um)

    def measured(
        self, um_to_he: PointMap, tiles: pd.DataFrame, rule: DriftRule
    ) -> Iterator[TileMeasured]:
        """Yield what is measured of tiles, in their order."""
        he = PlacedHe(self.image, um_to_he, self.tissue, self.smoothing_um)
        measure = partial(measure_tile, nuclei=self.nuclei, he=he, rule=rule)
        centres_um = zip(tiles["x_um"], tiles["y_um"], strict=True)
        return map_threads(measure, centres_um, self.threads)

    def sample(self, um_to_he: PointMap, search_um: float) -> pd.DataFrame:
        """Return tiles that are spread over the slide, measured with shifts up to ``search_um``."""
        wide = search_um > self.rule.search_um
        # A distortion is a matter of detail; whether a map is right is not.
        count = self.sampled_tiles if isinstance(um_to_he, Affine) and not wide else _MANY_TILES
        rule = replace(
            self.rule,
            search_um=search_um,
            um_per_px=_WIDE_UM_PER_PX if wide else self.rule.um_per_px,
        )
        tiles = self._sampled(count)
        return tile_table(tiles, self.measured(um_to_he, tiles, rule))

    def score(self, um_to_he: Affine, *, is_fitted: bool) -> FieldFacts:
        """Measure tiles that are spread over the slide; of a distorted section, once it is straightened."""
        summed = partial(field_facts, agree_um=self.limits.agree_um)
        facts = summed(self.sample(um_to_he, self.rule.search_um), is_fitted=is_fitted)
        if self.is_right(facts):
            return facts
        found = straightened(um_to_he, self.sample, self.straightening)
        if found.correction is None:
            return facts
        corrected = CorrectedMap(found.correction, found.affine)
        return summed(self.sample(corrected, self.rule.search_um), is_fitted=True)

    def is_right(self, score: FieldFacts) -> bool:
        """Return whether tiles agree well enough for the map to be the right one."""
        return is_right(score, self.limits)

    def polish(self, um_to_he: Affine) -> Affine:
        """Return the map made exact by windows that are spread over the slide."""
        steps = refining_steps(self.sampled_tiles)
        mapper = partial(map_threads, threads=self.threads)
        return polish(self.nuclei, um_to_he, steps, self._view.haematoxylin, mapper).um_to_he

    def find(self) -> Affine | None:
        """Return the best place: first at about the pixel size that the file states, then at any."""
        stated = self.image.um_per_px
        if stated:
            found = self._find(stated * (1 - _TAG_ERROR), stated * (1 + _TAG_ERROR))
            if not self.is_thorough or (found and self._is_found(found)):
                return found.um_to_he if found else None
        found = self._find(*_ANY_UM_PER_PX)
        return found.um_to_he if found else None

    def _is_found(self, found: Polished) -> bool:
        return found.is_sure or self.is_right(self.score(found.um_to_he, is_fitted=True))

    def _find(self, smallest: float, largest: float) -> Polished | None:
        mapper = partial(map_threads, threads=self.threads)
        return find_place(self.nuclei, self._view, (smallest, largest), mapper)

    def _sampled(self, at_most: int) -> pd.DataFrame:
        enough = self.tiles[self.tiles["n_nuclei"] >= self.rule.min_nuclei]
        count = min(len(enough), at_most)
        chosen = np.unique(np.linspace(0, len(enough) - 1, count).round().astype(np.int64))
        return enough.iloc[chosen]
