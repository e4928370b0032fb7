"""Hugging Face: parquet shards with typed features, row groups small enough for the viewer, and a card."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from sthelar_build.core.map_checks import map_flaw, nuclei_per_class
from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.errors import InputError
from sthelar_build.io.pages import write_card
from sthelar_build.io.patch_classes import PatchClasses
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.io.png import png_bytes
from sthelar_build.io.progress import progress
from sthelar_build.io.slide_patches import Patch
from sthelar_build.schema.tables import METRIC_NAMES
from sthelar_build.settings.export import ExportSettings

UNASSIGNED = "unassigned"
"""The split of patches that are in none: guards between the others. Never train or test on it."""

_ROW_GROUP = 100
_IMAGES = ("image", "instance_map", "type_map")
_CHECKED = 3


def write(source: PatchSource, out: Path, settings: ExportSettings, threads: int) -> None:
    """Write ``data/{split}-*.parquet`` and ``README.md``."""
    (out / "data").mkdir(parents=True)
    classes = PatchClasses(source, settings.grouping)
    features = _features(source.tissues)
    counts = _split_of_rows(source).value_counts()
    names = [name for name in (*SPLIT_NAMES, UNASSIGNED) if counts.get(name, 0)]
    with ExitStack() as stack:
        shards = {
            name: stack.enter_context(
                _Shards(out / "data", name, counts[name], settings.huggingface_shard_rows, features)
            )
            for name in names
        }
        rows = source.each(partial(_row, classes, source.tissues, settings.png_level), threads)
        for patch, row in progress(rows, "rows", len(source)):
            shards[patch.split or UNASSIGNED].add(row)
    _write_card(source, classes, out / "README.md", {name: int(counts[name]) for name in names})


def validate(folder: Path) -> None:
    """Raise InputError unless every file has the features and ``datasets`` loads every split.

    Of each split the first three rows are decoded: their maps must agree with their counts.
    """
    from datasets import load_dataset

    expected: pa.Schema | None = None
    for path in sorted((folder / "data").glob("*.parquet")):
        file = pq.ParquetFile(path)
        rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        expected = expected or file.schema_arrow
        if max(rows) > _ROW_GROUP or not file.schema_arrow.equals(expected, check_metadata=True):
            raise InputError(
                f"{path}: expected row groups of {_ROW_GROUP} and one schema, found others"
            )
    card = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---")[1])
    with TemporaryDirectory() as cache:
        for split in card["configs"][0]["data_files"]:
            rows = load_dataset(str(folder), split=split["split"], streaming=True, cache_dir=cache)
            for row in rows.take(_CHECKED):
                flaw = _flaw(row)
                if flaw:
                    raise InputError(f"{folder}: {row['file_name']}: found {flaw}; export it again")


class _Shards:
    """The parquet files of one split; rows are written in groups, files are cut at even sizes."""

    def __init__(
        self, folder: Path, split: str, n_rows: int, shard_rows: int, features: Any
    ) -> None:
        self._schema: pa.Schema = features.arrow_schema
        n_shards = -(-n_rows // shard_rows)
        self._per_shard = -(-n_rows // n_shards)
        self._paths: Iterator[Path] = (
            folder / f"{split}-{shard:05d}-of-{n_shards:05d}.parquet" for shard in range(n_shards)
        )
        self._rows: list[dict[str, Any]] = []
        self._written = 0
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._flush()
        self._close()

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        full = self._written + len(self._rows) == self._per_shard
        if full or len(self._rows) == _ROW_GROUP:
            self._flush()
        if full:
            self._close()

    def _flush(self) -> None:
        if not self._rows:
            return
        if self._writer is None:
            # Images are compressed already.
            self._writer = pq.ParquetWriter(next(self._paths), self._schema, compression="snappy")
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._written += len(self._rows)
        self._rows = []

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._written = None, 0


def _features(tissues: list[str]) -> Any:
    from datasets import ClassLabel, Features, Image, Sequence, Value

    return Features(
        {
            "file_name": Value("string"),
            "image": Image(),
            "slide_id": Value("string"),
            "tissue": ClassLabel(names=tissues),
            "cell_counts": Sequence(Value("uint16")),
            "instance_map": Image(),
            "type_map": Image(),
            **{name: Value("float16") for name in METRIC_NAMES},
        }
    )


def _split_of_rows(source: PatchSource) -> Any:
    return source.table["split"].astype(object).where(source.table["split"].notna(), UNASSIGNED)


def _row(classes: PatchClasses, tissues: list[str], png_level: int, patch: Patch) -> dict[str, Any]:
    maps: dict[str, NDArray[Any]] = {
        "instance_map": patch.dense.astype(np.uint16),
        "type_map": classes.types(patch),
    }
    metrics = {
        name: None if value is None else np.float16(value) for name, value in patch.metrics.items()
    }
    return {
        "file_name": f"{patch.name}.png",
        "slide_id": patch.slide,
        "tissue": tissues.index(patch.tissue),
        "cell_counts": classes.counts(patch).tolist(),
        "image": _image(f"{patch.name}.png", patch.image, png_level),
        **{
            name: _image(f"{patch.name}_{name}.png", values, png_level)
            for name, values in maps.items()
        },
        **metrics,
    }


def _image(path: str, pixels: NDArray[Any], png_level: int) -> dict[str, Any]:
    return {"bytes": png_bytes(pixels, png_level), "path": path}


def _write_card(
    source: PatchSource, classes: PatchClasses, path: Path, counts: dict[str, int]
) -> None:
    files = [{"split": name, "path": f"data/{name}-*"} for name in counts]
    head = {
        "pretty_name": "Cell types in H&E, from Xenium",
        "task_categories": ["image-segmentation"],
        "tags": ["histology", "spatial-transcriptomics", "xenium", "cell-types"],
        "configs": [{"config_name": "default", "data_files": files}],
    }
    values = {
        "head": yaml.safe_dump(head, sort_keys=False),
        "counts": counts,
        "classes": classes.grouping.classes,
        "side_px": source.side_px,
        "slides": source.slides,
        "unassigned": UNASSIGNED,
    }
    write_card(path, "huggingface.md.j2", values)


def _flaw(row: dict[str, Any]) -> str | None:
    image, instances, types = (np.asarray(row[name]) for name in _IMAGES)
    flaw = map_flaw(image.shape, instances, types)
    if flaw:
        return flaw
    drawn = nuclei_per_class(instances, types, len(row["cell_counts"]))
    return None if drawn.tolist() == list(row["cell_counts"]) else "other counts than cell_counts"
