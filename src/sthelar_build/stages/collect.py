"""Gather all slides at one scale: tables over all patches, splits with their audit, and the facts of the dataset."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from sthelar_build.core.consistency import (
    ConsistencyRule,
    class_consistency,
    conflicting_labels,
)
from sthelar_build.core.consistency_words import page_facts
from sthelar_build.core.dataset_facts import class_facts, slide_facts, split_facts
from sthelar_build.core.dataset_tables import csv_tables, splits_table, unsplittable
from sthelar_build.core.marker_means import marker_means
from sthelar_build.core.verdict import FROM_WORST
from sthelar_build.core.wording import tally
from sthelar_build.io.atomic import published, published_together
from sthelar_build.io.chosen_splits import audited, chosen_splits
from sthelar_build.io.class_counts import read_class_counts
from sthelar_build.io.masks import ShownNuclei
from sthelar_build.io.patch_stream import common_side_px, patch_geometry, patch_table
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.splits import read_splits, write_splits
from sthelar_build.io.tables import read_table
from sthelar_build.io.transform import Transform, read_transform
from sthelar_build.options import InFile, InFiles, OutFile, Word, Words, as_json, in_step
from sthelar_build.schema.labels import class_named
from sthelar_build.schema.tables import LABELS
from sthelar_build.settings.collect import CollectSettings
from sthelar_build.sheets import Slide, load_slides

logger = logging.getLogger(__name__)

_SPLITS, _FACTS = "splits.parquet", "facts.json"
_OF_LABELS = ["cell_id", "final_label", "label2"]


@dataclass(frozen=True)
class _Slide:
    """One slide of the dataset, and where its artefacts lie."""

    row: Slide
    patches: Path
    masks: Path
    metrics: Path
    labels: Path
    counts: Path
    placed: Transform

    @property
    def name(self) -> str:
        return self.row.slide


def run(
    scale: Word,
    slides_sheet: InFile,
    slide: Words,
    patches: InFiles,
    masks: InFiles,
    metrics: InFiles,
    labels: InFiles,
    counts_cells: InFiles,
    transform: InFiles,
    out: OutFile,
    settings: Annotated[CollectSettings, as_json(CollectSettings)],
) -> None:
    """Gather the dataset of all slides; the lists of files are in the order of the slides."""
    rows = load_slides(slides_sheet)
    files = in_step(
        slide=slide,
        patches=patches,
        masks=masks,
        metrics=metrics,
        labels=labels,
        counts_cells=counts_cells,
        transform=transform,
    )
    slides = [
        _Slide(rows[name], grid, manifest, measured, table, counts, read_transform(placed))
        for name, grid, manifest, measured, table, counts, placed in sorted(files)
    ]
    side_px = common_side_px(one.patches for one in slides)
    each = progress(slides, "slides gathered", len(slides))
    table = pd.concat([_patches(one, settings) for one in each], ignore_index=True)
    kept = table[table.reason.isna()].reset_index(drop=True)
    nuclei = ShownNuclei({one.name: one.masks for one in slides})
    chosen = chosen_splits(settings, scale, table, kept, side_px, nuclei)
    labelled = {one.name: read_table(one.labels, LABELS, _OF_LABELS) for one in slides}
    compared, consistency = _compare(slides, labelled, settings)
    source = provenance("collect", settings, _inputs(slides_sheet, slides, settings, scale))
    splits = splits_table(table, kept, chosen.assigned, chosen.unassigned)
    tables = {**csv_tables(kept, side_px), **compared}
    names = (_SPLITS, *tables, _FACTS)
    with published_together(*(out / name for name in names)) as paths:
        drafts = dict(zip(names, paths, strict=True))
        about = {"strategy": chosen.strategy, "side_px": side_px}
        write_splits(drafts[_SPLITS], splits, source, about)
        splits, facts = read_splits(drafts[_SPLITS])
        found = audited(splits, table, side_px, nuclei, chosen)
        for name, content in tables.items():
            with published(drafts[name]) as draft:
                content.to_csv(draft, index=False)
        record = {
            "scale": scale,
            "side_px": side_px,
            "split": {
                **facts,
                "shares": settings.shares,
                "guard_px": settings.guard_px,
                "frozen": chosen.file is not None,
                "audit": asdict(found),
            },
            **_facts(slides, labelled, table, splits),
            "consistency": consistency,
        }
        write_record(drafts[_FACTS], record, source)


def _inputs(
    slides_sheet: Path, slides: Iterable[_Slide], settings: CollectSettings, scale: str
) -> dict[str, Path | None]:
    frozen = settings.frozen_splits_at(scale)
    inputs = {"slides_sheet": slides_sheet, "frozen_splits": frozen}
    for one in slides:
        paths = (one.patches, one.masks, one.metrics, one.labels, one.counts)
        inputs |= {f"{one.name}/{path.name}": path for path in paths}
    return inputs


def _patches(one: _Slide, settings: CollectSettings) -> pd.DataFrame:
    """Return every patch of a slide, with the reason if it cannot be in any split."""
    table = patch_table(one.patches, one.masks, one.metrics)
    gated = FROM_WORST.index(one.placed.verdict) < FROM_WORST.index(settings.min_verdict)
    if gated:
        logger.warning("%s: left out, its registration is judged %s", one.name, one.placed.verdict)
    reason = unsplittable(table, gated)
    logger.info(
        "%s: kept %d of %d patches; the others: %s",
        one.name,
        pd.isna(reason).sum(),
        len(table),
        tally(reason),
    )
    about = {"slide": one.name, "patient": one.row.patient, "tissue": one.row.tissue}
    return table.assign(**about, reason=reason)


def _facts(
    slides: Sequence[_Slide],
    labelled: Mapping[str, pd.DataFrame],
    table: pd.DataFrame,
    splits: pd.DataFrame,
) -> dict[str, list[dict[str, Any]]]:
    counted = slide_facts(table, splits)
    slide_rows = [
        {
            "name": one.name,
            **one.row.model_dump(include={"patient", "tissue", "condition"}),
            "um_per_px": patch_geometry(one.patches)[1],
            "verdict": one.placed.verdict,
            "median_um": one.placed.median_um,
            **counted[one.name],
        }
        for one in slides
    ]
    classes = class_facts(table, splits, _cells_per_class(labelled.values()))
    return {"slides": slide_rows, "classes": classes, "splits": split_facts(slide_rows, classes)}


def _cells_per_class(labelled: Iterable[pd.DataFrame]) -> dict[str, int]:
    names = pd.concat([table["final_label"] for table in labelled])
    published_as = names.map(lambda name: class_named(name).patch_class)
    return {str(name): int(n) for name, n in published_as.value_counts().items()}


def _compare(
    slides: Sequence[_Slide], labelled: Mapping[str, pd.DataFrame], settings: CollectSettings
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Compare the classes of all slides; return the tables, and what the page shows of them."""
    counted = [
        read_class_counts(one.counts, labelled[one.name], one.name, one.row.tissue)
        for one in slides
    ]
    means = marker_means(counted)
    found = class_consistency(counted, means, settings.part(ConsistencyRule))
    conflicts = conflicting_labels(labelled)
    page = page_facts(found, conflicts, means["gene"].nunique(), settings.min_siblings)
    for sentence in (*page["flags"], *page["conflicts"]):
        logger.warning("%s", sentence)
    return {"class_consistency.csv": found, "marker_means.csv": means}, page
