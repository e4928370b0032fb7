"""Describe a dataset that is complete: card, page, Croissant, and a picture of samples."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from sthelar_build.core.dataset_formats import format_facts, selection_facts
from sthelar_build.core.samples import evenly, sample_patches
from sthelar_build.io.croissant import file_size
from sthelar_build.io.dataset_descriptions import table_names, write_descriptions
from sthelar_build.io.images.he import open_he
from sthelar_build.io.loading import loading_examples
from sthelar_build.io.masks import open_masks
from sthelar_build.io.pictures.sample_grid import SampleRow, sample_picture, write_sample_grid
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import Provenance, provenance
from sthelar_build.io.records import PROVENANCE, read_record
from sthelar_build.io.tables import read_table
from sthelar_build.options import (
    InFile,
    InFiles,
    MaybeInFiles,
    OutFile,
    Words,
    as_json,
    in_step,
)
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.schema.tables import PATCHES, SPLITS
from sthelar_build.settings.describe import DescribeSettings

logger = logging.getLogger(__name__)

_SAMPLES = "samples.png"
_FACTS = ("scale", "side_px", "split", "slides", "classes", "splits", "consistency")
_OF_MANIFEST = ("format", "n_patches", "n_patches_total", "slides", "files")


def run(
    facts: InFile,
    slide: Words,
    he: InFiles,
    patches: InFiles,
    masks: InFiles,
    out: OutFile,
    settings: Annotated[DescribeSettings, as_json(DescribeSettings)],
    manifests: MaybeInFiles = None,
) -> None:
    """Describe the dataset in the folder of ``facts``; the lists of files are in the order of the slides."""
    manifests = manifests or []
    gathered = read_record(facts, _FACTS)
    exports = {path: read_record(path, _OF_MANIFEST) for path in manifests}
    tables = {name: _table(facts.parent / name) for name in table_names()}
    files = sorted(in_step(slide=slide, he=he, patches=patches, masks=masks))
    rows = _samples(files, tables, settings)
    write_sample_grid(out / _SAMPLES, rows)
    source = _source(facts, manifests, gathered, settings)
    values = {
        **settings.model_dump(
            include={"title", "licence", "url", "creators", "date_published", "citation"}
        ),
        **{name: gathered[name] for name in _FACTS},
        "formats": format_facts(list(exports.values())),
        "selections": selection_facts(list(exports.values())),
        "samples": len(rows),
        "loading": loading_examples(gathered["slides"][0]["name"], int(gathered["side_px"])),
    }
    missing = write_descriptions(out, values, tables, _downloads(exports), source)
    if missing:
        logger.warning(
            "croissant.json: Croissant 1.0 also asks for %s; name them in the settings of describe before you publish",
            ", ".join(missing),
        )


def _table(path: Path) -> pd.DataFrame:
    return read_table(path, SPLITS) if path.suffix == ".parquet" else pd.read_csv(path)


def _source(
    facts: Path, manifests: Sequence[Path], gathered: Mapping[str, Any], settings: DescribeSettings
) -> Provenance:
    """Return our provenance, with that of the splits and tables inside."""
    inputs = {"facts": facts, **{f"{path.parent.name}/manifest": path for path in manifests}}
    return {**provenance("describe", settings, inputs), "collect": gathered[PROVENANCE]}


def _samples(
    files: Sequence[tuple[str, Path, Path, Path]],
    tables: Mapping[str, pd.DataFrame],
    settings: DescribeSettings,
) -> list[SampleRow]:
    """Draw patches of evenly spread slides that have any in a split."""
    splits = tables["splits.parquet"]
    splits = splits[splits["split"].notna()]
    names = splits["slide"] + "_" + splits["patch_id"].astype(str) + ".png"
    known = tables["patch_metrics.csv"].join(tables["cell_count.csv"].drop(columns="Image"))
    known = known.join(tables["types.csv"]["type"])
    known = known[known["patch_id"].isin(names)]
    shown = [one for one in files if one[0] in set(known["slide_id"])]
    chosen = [shown[i] for i in evenly(len(shown), settings.max_sample_slides)]
    return [
        _row(one, known[known["slide_id"] == one[0]], settings.samples_per_slide)
        for one in progress(chosen, "slides in the picture of samples", len(chosen))
    ]


def _row(files: tuple[str, Path, Path, Path], known: pd.DataFrame, n: int) -> SampleRow:
    name, he, patches, manifest = files
    counts = known[list(PATCH_CLASS_NAMES)].to_numpy()
    x, y = known["xmin"].to_numpy(), known["ymin"].to_numpy()
    chosen = sample_patches(counts, x, y, int((known["xmax"] - known["xmin"]).iloc[0]), n)
    grid = read_table(patches, PATCHES).set_index("patch_id")
    masks = open_masks(manifest.parent)
    samples = []
    with open_he(he) as image:
        for row, cell_class in chosen:
            patch_id = int(
                str(known["patch_id"].iloc[row]).removeprefix(f"{name}_").removesuffix(".png")
            )
            picture = sample_picture(grid.loc[[patch_id]].iloc[0], patch_id, masks, image)
            class_name = PATCH_CLASS_NAMES[cell_class]
            samples.append((f"{patch_id}: {counts[row, cell_class]} {class_name}", picture))
    return SampleRow(f"{name}, {known['type'].iloc[0]}", samples)


def _downloads(exports: Mapping[Path, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return every exported file; large ones, of which the manifest samples the checksum, are read whole."""
    found: dict[str, dict[str, Any]] = {}
    for path, manifest in sorted(exports.items()):
        about = f"Part of the dataset in the format {manifest['format']}."
        for name, file in progress(
            manifest["files"].items(), f"files of {manifest['format']}", len(manifest["files"])
        ):
            size = file_size(path.parent / name) if file.get("sampled") else file
            sized = {"bytes": size["bytes"], "sha256": size["sha256"]}
            found[f"{path.parent.name}/{name}"] = {"description": about, **sized}
    return found
