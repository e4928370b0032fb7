"""Write the patches of all slides as a dataset in one format, and check it by the rules of its readers."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Annotated, Protocol

import pandas as pd

from sthelar_build.core.frozen_splits import misfit
from sthelar_build.core.selection import SelectionRule, left_out
from sthelar_build.core.wording import tally
from sthelar_build.errors import InputError
from sthelar_build.exporters import cellvit, cellvit_plus, huggingface, pannuke, sthelar
from sthelar_build.io.atomic import published
from sthelar_build.io.patch_stream import (
    PatchSource,
    SlideFiles,
    common_side_px,
    patch_geometry,
    patch_table,
)
from sthelar_build.io.provenance import checksums, provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.splits import HASH, read_splits
from sthelar_build.io.transform import read_transform
from sthelar_build.options import (
    InFile,
    InFiles,
    OutFile,
    Threads,
    Word,
    Words,
    as_json,
    in_step,
    one_of,
)
from sthelar_build.schema.groupings import GROUPINGS
from sthelar_build.schema.words import REGISTRATION
from sthelar_build.settings.export import ExportSettings
from sthelar_build.sheets import load_slides

logger = logging.getLogger(__name__)

_KEPT = "kept"


class Exporter(Protocol):
    """What every module of ``exporters`` offers."""

    def write(self, source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
        """Write the folder ``out`` from the stream."""

    def validate(self, folder: Path) -> None:
        """Raise InputError unless the readers of the format can use the folder."""


EXPORTERS: dict[str, Exporter] = {
    "pannuke": pannuke,
    "sthelar": sthelar,
    "cellvit": cellvit,
    "cellvit_plus": cellvit_plus,
    "huggingface": huggingface,
}
"""The formats, by the name in the configuration."""


def run(
    format: Word,
    scale: Word,
    slides_sheet: InFile,
    slide: Words,
    he: InFiles,
    transform: InFiles,
    nuclei: InFiles,
    cells: InFiles,
    labels: InFiles,
    patches: InFiles,
    masks: InFiles,
    metrics: InFiles,
    splits: InFile,
    out: OutFile,
    settings: Annotated[ExportSettings, as_json(ExportSettings)],
    threads: Threads = 1,
) -> None:
    """Export the patches of the slides; the lists of files are in the order of the slides."""
    exporter = one_of(EXPORTERS, format)
    rows = load_slides(slides_sheet)
    columns = in_step(
        slide=slide,
        he=he,
        patches=patches,
        masks=masks,
        metrics=metrics,
        nuclei=nuclei,
        cells=cells,
        labels=labels,
        transform=transform,
    )
    files = [SlideFiles(name, rows[name].tissue, *paths) for name, *paths, _ in columns]
    verdicts = {name: read_transform(placed).verdict for name, *_, placed in columns}
    split_of, frozen = read_splits(splits)
    tables = [_kept(one, split_of[split_of.slide == one.slide], settings) for one in files]
    counts = {one.slide: kept for one, (_, kept) in zip(files, tables, strict=True)}
    n_total = sum(sum(kept.values()) for kept in counts.values())
    source = PatchSource(files, [table for table, _ in tables], common_side_px(patches))
    if not len(source):
        raise InputError(
            f"{splits}: expected at least one patch to export as {format}, found none left of {n_total}; "
            "see the log, and the settings of export and collect"
        )
    record = {
        "format": format,
        "scale": scale,
        "side_px": source.side_px,
        "grouping": settings.grouping,
        "classes": {one.name: one.index for one in GROUPINGS[settings.grouping].classes},
        "n_patches": len(source),
        "n_patches_total": n_total,
        "splits": {name: frozen.get(name) for name in ("strategy", HASH)},
        "slides": {
            one.slide: {
                "patches": counts[one.slide],
                "um_per_px": patch_geometry(one.patches)[1],
                "registration": verdicts[one.slide],
            }
            for one in sorted(files, key=lambda one: one.slide)
        },
    }
    inputs = {"slides_sheet": slides_sheet, "splits": splits}
    with published(out) as draft:
        exporter.write(source, draft, settings, threads)
        exporter.validate(draft)
        record["files"] = checksums(draft)
        write_record(draft / "manifest.json", record, provenance("export", settings, inputs))


def _kept(
    files: SlideFiles, splits: pd.DataFrame, settings: ExportSettings
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows to export, and how many patches were kept or left out for which reason."""
    table = patch_table(files.patches, files.masks, files.metrics)
    problem = misfit(splits, table.assign(slide=files.slide))
    if problem:
        raise InputError(
            f"{files.patches}: expected the patches of the splits, found {problem}; run collect again"
        )
    splits = splits.set_index("patch_id").loc[table.patch_id].reset_index()
    gated = (splits.reason == REGISTRATION).to_numpy()
    reasons = left_out(table, gated, settings.part(SelectionRule))
    kept = pd.isna(reasons)
    counts = Counter(_KEPT if reason is None else str(reason) for reason in reasons)
    logger.info(
        "%s: kept %d of %d patches; the others: %s",
        files.slide,
        kept.sum(),
        len(kept),
        tally(reasons),
    )
    split = splits.split.astype(object).where(splits.split.notna(), None).to_numpy()
    return table.assign(split=split)[kept].reset_index(drop=True), dict(sorted(counts.items()))
