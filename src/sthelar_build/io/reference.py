"""Reference atlases (h5ad): a sample of every label's cells on the genes of a panel.

Only the needed elements are read, block by block: the atlas never stands in memory, and what a newer
anndata cannot open elsewhere in the file does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.atlas.genes import match_genes
from sthelar_build.core.atlas.reference import Reference
from sthelar_build.core.atlas.sampling import stratified_rows
from sthelar_build.errors import InputError
from sthelar_build.io.h5ad_columns import column_names, read_codes, text_columns
from sthelar_build.io.h5ad_sources import Source, usable_source
from sthelar_build.io.hdf5 import UNREADABLE

logger = logging.getLogger(__name__)

_SHOWN_COLUMNS = 30


def read_reference(
    path: Path,
    label_key: str,
    symbols: Sequence[str],
    gene_ids: Sequence[str],
    *,
    layer: str = "",
    cells_per_label: int = 1000,
    donor_columns: Sequence[str] = (),
    seed: int = 0,
) -> Reference:
    """Read at most ``cells_per_label`` random cells of every label, on the genes that panel and atlas share.

    The matrix is the ``layer`` (``raw.X`` is one), or X; where X is of no use, raw counts elsewhere in the file. A gene of the panel is found by its Ensembl id (version dropped) where the atlas has ids, else by its
    symbol (case ignored), in the index or any text column of var; columns of the same gene are summed. Values are
    taken to the linear scale. The first of ``donor_columns`` that obs has spreads the sample over donors. What was
    found goes to the log. InputError if the file, the label column or the layer is not there, or no matrix in the
    file is of use.
    """
    try:
        with h5py.File(path) as file:
            codes, labels = _labels(path, file, label_key)
            donors = _donors(file, donor_columns)
            source = usable_source(path, file, layer)
            var = text_columns(file, source.var)
            genes = match_genes(symbols, gene_ids, var)
            logger.info("reference: %s", genes.in_words())
            rows = stratified_rows(codes, cells_per_label, seed, donors)
            counts = source.matrix.part(rows, genes.atlas_columns)
    except UNREADABLE as error:
        if not path.is_file():
            raise InputError(
                f"{path}: expected an h5ad file, found no file; check the path"
            ) from error
        raise InputError(
            f"{path}: expected an h5ad file with obs, var and a matrix, found a broken or other one; "
            "make or download it again"
        ) from error
    _check_values(path, source, counts.data)
    counts.data = source.scale.linear(counts.data)
    return Reference(
        labels=labels,
        counts=genes.fold(counts),
        codes=codes[rows],
        cells_per_label=np.bincount(codes[codes >= 0], minlength=len(labels)),
        genes=genes,
        scale=source.scale,
        source=source.name,
    )


def _labels(path: Path, file: h5py.File, label_key: str) -> tuple[NDArray[np.int32], list[str]]:
    obs = file["obs"]
    columns = column_names(obs)
    if label_key not in columns:
        shown = ", ".join(sorted(columns)[:_SHOWN_COLUMNS]) or "none"
        more = ", ..." if len(columns) > _SHOWN_COLUMNS else ""
        raise InputError(
            f"{path}: expected the obs column {label_key!r} with the cell-type labels, found {shown}{more}; "
            "correct label_key in the sheet of references"
        )
    codes, labels = read_codes(file, obs, label_key)
    if not labels:
        raise InputError(
            f"{path}: expected cell-type labels in the obs column {label_key!r}, found only missing values; "
            "correct label_key in the sheet of references"
        )
    logger.info(
        "reference: %d labels on %d of %d cells%s",
        len(labels),
        (codes >= 0).sum(),
        len(codes),
        "" if (codes >= 0).all() else "; the others have none and are left out",
    )
    return codes, labels


def _donors(file: h5py.File, names: Sequence[str]) -> NDArray[np.int32] | None:
    """Return the number of every cell's donor; None if no column tells donors apart."""
    obs = file["obs"]
    there = {name.casefold(): name for name in column_names(obs)}
    for wanted in names:
        if wanted.casefold() in there:
            name = there[wanted.casefold()]
            codes, donors = read_codes(file, obs, name)
            if len(donors) > 1:
                logger.info(
                    "reference: cells are taken evenly from %d of obs %r", len(donors), name
                )
                return codes
    return None


def _check_values(path: Path, source: Source, values: NDArray[np.float32]) -> None:
    """Refuse what only the cells that were chosen show."""
    if not np.isfinite(values).all() or (values < 0).any():
        raise InputError(
            f"{path}: expected expression in {source.name}, found negative or infinite values, or NaN, in some "
            "cells; name a layer of counts in the sheet of references"
        )
