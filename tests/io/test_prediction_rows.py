"""Rows that are finished stay so, whoever comes next; a row that is not whole does not count."""

import numpy as np
import pytest

from slides.predicted import SOURCE, predicted
from sthelar_build.io.gathering import GRID_ROWS
from sthelar_build.io.prediction_rows import PredictionRows
from sthelar_build.io.predictions import METHOD, open_predictions

SHAPE = (2, 2, 4)
MAP = np.eye(4, dtype=np.uint32) * 3
FACTS = {"side_px": 4, "n_patches": 4, METHOD: "haematoxylin", "network": None}


@pytest.fixture
def rows(tmp_path):
    return PredictionRows(tmp_path, SHAPE, SOURCE)


def finish(rows, row, value):
    written = rows.write_block(row, 0, [predicted(2 * row, MAP * value)])
    rows.finish_row(row, [written], {2 * row: None, 2 * row + 1: "outside"})


def test_a_finished_row_is_found_by_the_next_process(rows, tmp_path):
    finish(rows, 1, 2)
    again = PredictionRows(tmp_path, SHAPE, SOURCE)
    assert [again.is_finished(row) for row in (0, 1)] == [False, True]
    finish(again, 0, 1)
    again.assemble(range(2), tmp_path / "out", {**FACTS, GRID_ROWS: [0, 2]})
    found = open_predictions(tmp_path / "out")
    assert [m.max() for m in found.each_between(0, 4)] == [3, 0, 6, 0]
    assert found.nuclei_between(0, 4)["instance_id"].tolist() == [3, 6]


def test_a_row_whose_tables_are_not_both_written_is_not_finished(rows, tmp_path):
    rows.write_block(0, 0, [predicted(0, MAP)])
    assert not rows.is_finished(0)
    (tmp_path / "rows" / "000000.nuclei.parquet").touch()
    (tmp_path / "rows" / "000000.patches.part").touch()
    assert not rows.is_finished(0)
    finish(rows, 0, 1)
    assert rows.is_finished(0)


def test_an_array_that_was_not_whole_is_begun_again(tmp_path):
    (tmp_path / "instances.zarr.part").mkdir()
    (tmp_path / "instances.zarr.part" / "zarr.json").write_text("{")
    rows = PredictionRows(tmp_path, SHAPE, SOURCE)
    assert rows.together == 2


def test_what_is_put_together_takes_only_the_rows_that_are_asked_for(rows, tmp_path):
    finish(rows, 0, 1)
    rows.assemble(range(1), tmp_path / "out", {**FACTS, GRID_ROWS: [0, 1]})
    assert open_predictions(tmp_path / "out").patches["patch_id"].tolist() == [0, 1]
