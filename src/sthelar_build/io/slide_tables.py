"""The tables of a slide's SpatialData store, from the artefacts that hold them: made one by one, as each is large."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from anndata import AnnData

from sthelar_build.core.object_table import LABEL_COLUMNS, object_table, summed_over_nuclei
from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad
from sthelar_build.io.features import copy_matrix, read_described
from sthelar_build.io.memory import give_back
from sthelar_build.io.scores import read_scores
from sthelar_build.io.spatial import Make, linked_table
from sthelar_build.io.tables import read_table
from sthelar_build.schema import elements
from sthelar_build.schema.tables import LABELS

logger = logging.getLogger(__name__)


class ObjectFiles(NamedTuple):
    """The files that describe one kind of object."""

    counts: Path
    clusters: Path
    tangram: Path


_Describe = Callable[[ObjectFiles], AnnData]
"""Makes the table of one kind of object, not yet linked to shapes."""


def count_tables(
    files: Mapping[str, ObjectFiles], labels: Path, cell_region: str | None, slide: str
) -> Iterator[tuple[str, Make]]:
    """Yield the name of every table of counts, and what makes it.

    Parameters
    ----------
    files
        By the name of the table; there is one of the nuclei.
    labels
        ``labels.parquet``; a table cannot be made (InputError) if that lacks a cell of its counts.
    cell_region
        Shapes that rows of cells are about; None where the bundle has no outlines of cells.
    slide
        Name of the slide.
    """
    by_cell = read_table(labels, LABELS).set_index("cell_id")[list(LABEL_COLUMNS)]
    described = partial(_described, labels=by_cell, labels_path=labels, slide=slide)
    of_nuclei = files[elements.NUCLEUS_TABLE]
    for name, its in files.items():
        if name == elements.NUCLEUS_TABLE:
            yield name, partial(_of_nuclei, described, its)
        elif name == elements.COMBINED_TABLE:
            yield name, partial(_of_both, described, its, of_nuclei.counts, cell_region)
        else:
            yield name, partial(_of_cells, described, its, cell_region)


def feature_tables(
    described: Iterable[tuple[str, Path]], store: Path
) -> Iterator[tuple[str, Make]]:
    """Yield the name of the table of every model's features, and what makes it, in a store that is being written.

    Its matrix, which need not fit in memory, follows once the table is written: when the next one is asked for.
    """
    for model, path in described:
        name = elements.features_table_name(model)
        yield name, partial(_of_features, path)
        copy_matrix(path, store / "tables" / name)


def _of_nuclei(described: _Describe, files: ObjectFiles) -> AnnData:
    return linked_table(described(files), elements.NUCLEUS_SHAPES, "nucleus_id")


def _of_cells(described: _Describe, files: ObjectFiles, region: str | None) -> AnnData:
    return linked_table(described(files), region, "cell_id")


def _of_both(
    described: _Describe, files: ObjectFiles, nucleus_counts: Path, region: str | None
) -> AnnData:
    table = described(files)
    give_back()
    counts = read_h5ad(nucleus_counts)
    if not counts.var_names.equals(table.var_names):
        raise InputError(
            f"{nucleus_counts}: expected the genes of {files.counts}, found others; count both again"
        )
    table.layers[elements.NUCLEUS_COUNT_LAYER] = summed_over_nuclei(counts, table.obs_names)
    return linked_table(table, region, "cell_id")


def _of_features(path: Path) -> AnnData:
    return linked_table(read_described(path), elements.NUCLEUS_SHAPES, "nucleus_id")


def _described(files: ObjectFiles, labels: pd.DataFrame, labels_path: Path, slide: str) -> AnnData:
    counts, clusters = read_h5ad(files.counts), read_h5ad(files.clusters)
    unlabelled = ~counts.obs["cell_id"].isin(labels.index)
    if unlabelled.any():
        raise InputError(
            f"{labels_path}: expected a row for every cell of {files.counts}, found none for "
            f"{unlabelled.sum()} rows; run refine again"
        )
    logger.info("%s: %d of %d rows clustered", files.counts.stem, clusters.n_obs, counts.n_obs)
    return object_table(counts, clusters, read_scores(files.tangram), labels, slide)
