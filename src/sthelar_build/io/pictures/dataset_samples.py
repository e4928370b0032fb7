"""Patches to show of a dataset: some of each of its slides, in the splits and with the outlines that it was exported with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sthelar_build.core.samples import evenly, sample_patches
from sthelar_build.io.images.he import open_he
from sthelar_build.io.masks import open_masks
from sthelar_build.io.pictures.sample_grid import SampleRow, sample_picture
from sthelar_build.io.progress import progress
from sthelar_build.io.tables import read_table
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.schema.tables import PATCHES


class SampledSlide(NamedTuple):
    """One slide, and what its patches are drawn from."""

    name: str
    he: Path
    patches: Path
    masks: Path


def dataset_samples(
    slides: Sequence[SampledSlide],
    tables: Mapping[str, pd.DataFrame],
    per_slide: int,
    max_slides: int,
) -> list[SampleRow]:
    """Draw patches of evenly spread slides that have any in a split.

    Parameters
    ----------
    slides
        In the order in which they are shown.
    tables
        Those of the dataset by file name: ``splits.parquet``, and row by row alike ``patch_metrics.csv``, ``cell_count.csv``,
        ``types.csv``.
    per_slide, max_slides
        Patches of every slide, and slides, at most.
    """
    splits = tables["splits.parquet"]
    splits = splits[splits["split"].notna()]
    names = splits["slide"] + "_" + splits["patch_id"].astype(str) + ".png"
    known = tables["patch_metrics.csv"].join(tables["cell_count.csv"].drop(columns="Image"))
    known = known.join(tables["types.csv"]["type"])
    known = known[known["patch_id"].isin(names)]
    shown = [one for one in slides if one.name in set(known["slide_id"])]
    chosen = [shown[i] for i in evenly(len(shown), max_slides)]
    return [
        _row(one, known[known["slide_id"] == one.name], per_slide)
        for one in progress(chosen, "slides in the picture of samples", len(chosen))
    ]


def _row(one: SampledSlide, known: pd.DataFrame, n: int) -> SampleRow:
    counts = known[list(PATCH_CLASS_NAMES)].to_numpy()
    x, y = known["xmin"].to_numpy(), known["ymin"].to_numpy()
    chosen = sample_patches(counts, x, y, int((known["xmax"] - known["xmin"]).iloc[0]), n)
    grid = read_table(one.patches, PATCHES).set_index("patch_id")
    masks = open_masks(one.masks.parent)
    samples = []
    with open_he(one.he) as image:
        for row, cell_class in chosen:
            patch_id = int(
                str(known["patch_id"].iloc[row]).removeprefix(f"{one.name}_").removesuffix(".png")
            )
            picture = sample_picture(grid.loc[[patch_id]].iloc[0], patch_id, masks, image)
            class_name = PATCH_CLASS_NAMES[cell_class]
            samples.append((f"{patch_id}: {counts[row, cell_class]} {class_name}", picture))
    return SampleRow(f"{one.name}, {known['type'].iloc[0]}", samples)
