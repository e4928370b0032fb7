"""A dataset of two slides in every format of patches, as ``export`` publishes it."""

from __future__ import annotations

from pathlib import Path

from slides import two_slides
from sthelar_build.exporters import cellvit, cellvit_plus, huggingface, pannuke, sthelar
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.io.records import write_record
from sthelar_build.schema.groupings import GROUPINGS
from sthelar_build.settings.export import ExportSettings

EXPORTERS = {
    "cellvit": cellvit,
    "cellvit_plus": cellvit_plus,
    "pannuke": pannuke,
    "sthelar": sthelar,
    "huggingface": huggingface,
}


def write_dataset(folder: Path) -> PatchSource:
    """Write ``folder/dataset/{format}`` and its splits; return what the patches came from."""
    source = two_slides.source_of(folder / "slides")
    dataset = folder / "dataset"
    dataset.mkdir()
    two_slides.write_splits(dataset / "splits.parquet", folder / "slides")
    classes = {name: n for n, name in enumerate(GROUPINGS["detailed"].names, start=1)}
    for name, exporter in EXPORTERS.items():
        exporter.write(source, dataset / name, ExportSettings(), 1)
        slides = {slide: {"um_per_px": two_slides.UM_PER_PX} for slide in source.slides}
        record = {"format": name, "classes": classes, "slides": slides}
        write_record(dataset / name / "manifest.json", record, two_slides.SOURCE)
    return source
