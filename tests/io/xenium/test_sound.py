"""Missing, infinite and misplaced values are counted and named."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from slides.five_cells import SHAPE_PX, copy_of_bundle
from sthelar_build.errors import InputError
from sthelar_build.io.xenium.images import morphology_facts
from sthelar_build.io.xenium.sound import (
    check_extent,
    check_filled,
    check_numbers,
    check_places,
    extent_of,
)

PATH = Path("cells.parquet")


def test_finite_numbers_of_any_type_pass():
    check_numbers(PATH, pa.table({"x": [1.0, 2.0], "n": [1, 2]}), ["x", "n"])


@pytest.mark.parametrize("bad", [None, np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_counted(bad):
    table = pa.table({"x": pa.array([1.0, bad, 2.0, bad], pa.float32())})
    with pytest.raises(InputError, match=r"every row of x, found 2 of 4 rows that are empty, NaN"):
        check_numbers(PATH, table, ["x"])


def test_a_column_without_rows_passes():
    check_numbers(PATH, pa.table({"x": pa.array([], pa.float32())}), ["x"])


@pytest.mark.parametrize("form", [pa.array, lambda words: pa.array(words).dictionary_encode()])
def test_a_missing_value_is_counted(form):
    check_filled(PATH, pa.table({"id": form(["a", "b"])}), ["id"])
    with pytest.raises(InputError, match="every row of id, found 3 of 4 rows without"):
        check_filled(PATH, pa.table({"id": form(["a", None, "", ""])}), ["id"])


def test_the_image_bounds_the_coordinates(tmp_path):
    bundle = copy_of_bundle(tmp_path / "outs", "3.0.0", ("DAPI",))
    extent = extent_of(bundle, morphology_facts(bundle))
    height_um, width_um = np.array(SHAPE_PX) * bundle.pixel_size_um
    check_places(PATH, extent, [width_um], [height_um])
    extent.add(np.array([2 * width_um]), np.array([height_um]))
    with pytest.raises(InputError, match=r"cells\.parquet: expected coordinates in um inside"):
        check_extent(PATH, extent)
