"""Values that no table of a bundle can have: refused before anything is computed of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sthelar_build.core.extent import Extent
from sthelar_build.core.repeated_ids import RepeatedIds
from sthelar_build.errors import InputError
from sthelar_build.io.xenium.bundle import XeniumBundle
from sthelar_build.io.xenium.images import MorphologyFacts

_COPY = "copy the file again from its source"


def check_numbers(path: Path, table: pa.Table, names: Sequence[str]) -> None:
    """Raise InputError unless every value of these columns is a finite number."""
    for name in names:
        column = table[name]
        good = pc.sum(pc.cast(pc.is_finite(column), pa.int64())).as_py() or 0
        if good < len(column):
            raise InputError(
                f"{path}: expected a number in every row of {name}, found {len(column) - good} of {len(column)} rows "
                f"that are empty, NaN or inf; {_COPY}"
            )


def check_filled(path: Path, table: pa.Table, names: Sequence[str]) -> None:
    """Raise InputError if a value of these columns is missing; in a csv that is an empty text."""
    for name in names:
        column = table[name]
        missing = column.null_count + sum(_n_empty(chunk) for chunk in column.chunks)
        if missing:
            raise InputError(
                f"{path}: expected a value in every row of {name}, found {missing} of {len(column)} rows without; "
                f"{_COPY}"
            )


def _n_empty(column: pa.Array) -> int:
    """Count empty texts; of words that come as numbers, the rows with the number of an empty one."""
    words = column.dictionary if pa.types.is_dictionary(column.type) else column
    if not pa.types.is_string(words.type):
        return 0
    is_empty = pc.equal(words, "")
    if words is not column:
        is_empty = is_empty.take(column.indices)
    return int(pc.sum(is_empty).as_py() or 0)


def check_once(path: Path, watch: RepeatedIds, ids: NDArray[np.uint64]) -> None:
    """Raise InputError if one of these transcripts has come before."""
    repeated = watch.first_repeated(ids)
    if repeated is not None:
        raise InputError(
            f"{path}: expected every transcript once, found transcript_id {repeated} twice: it would be counted twice; "
            f"{_COPY}"
        )


def extent_of(bundle: XeniumBundle, image: MorphologyFacts) -> Extent:
    """Return a watch over coordinates in um that must lie in the morphology image."""
    return Extent(image.width_px * bundle.pixel_size_um, image.height_px * bundle.pixel_size_um)


def check_extent(path: Path, extent: Extent) -> None:
    """Raise InputError if the points that were watched cannot be um of this image."""
    if flaw := extent.flaw():
        raise InputError(f"{path}: {flaw}; copy all files of the bundle again from its source")


def check_places(path: Path, extent: Extent, x_um: Any, y_um: Any) -> None:
    """Raise InputError if these points cannot be um of this image."""
    extent.add(np.asarray(x_um), np.asarray(y_um))
    check_extent(path, extent)
