"""Shards of predictions joined: what is told of the whole, and what must not be mixed."""

import json

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.gathered_predictions import gather_predictions
from sthelar_build.io.gathering import GRID_ROWS
from sthelar_build.io.prediction_rows import PredictionRows
from sthelar_build.io.predictions import METHOD, open_predictions

SHAPE = (3, 1, 4)


def shard(folder, rows, device="cpu", magnification=40):
    scratch = folder.with_name(f"{folder.name}.scratch")
    scratch.mkdir()
    written = PredictionRows(scratch, SHAPE, {"stage": "segment"})
    for row in rows:
        written.finish_row(row, [], {row: "outside"})
    facts = {"side_px": 4, "n_patches": 3, METHOD: "cellvit", GRID_ROWS: [rows.start, rows.stop]}
    facts |= {"network": {"nuclei_types": {"Background": 0, "Round": 1}}}
    facts |= {"magnification": magnification, "ran_on": [{"device": device}]}
    written.assemble(rows, folder, facts)
    return folder


def test_counts_are_summed_and_machines_named_once(tmp_path):
    shards = [
        shard(tmp_path / "c", range(2, 3), "cuda"),
        shard(tmp_path / "none", range(1, 1)),
        shard(tmp_path / "a", range(1)),
        shard(tmp_path / "b", range(1, 2)),
    ]
    gather_predictions(shards, 3, tmp_path / "whole")
    found = open_predictions(tmp_path / "whole")
    assert found.patches["patch_id"].tolist() == [0, 1, 2]
    record = json.loads((tmp_path / "whole/manifest.json").read_text())
    assert record[GRID_ROWS] == [0, 3]
    assert record["not_segmented"] == {"outside": 3, "no_tissue": 0, "not_run": 0}
    assert record["nuclei_per_type"] == {"Background": 0, "Round": 0}
    assert record["ran_on"] == [{"device": "cpu"}, {"device": "cuda"}]


def test_a_missing_shard_is_told(tmp_path):
    shards = [shard(tmp_path / "a", range(1)), shard(tmp_path / "c", range(2, 3))]
    with pytest.raises(InputError, match="begins with row 1 of the grid, found one from 2"):
        gather_predictions(shards, 3, tmp_path / "whole")
    with pytest.raises(InputError, match="shards of all 3 rows of the grid, found 1"):
        gather_predictions(shards[:1], 3, tmp_path / "whole")
    assert not (tmp_path / "whole").exists()


def test_shards_of_other_settings_are_not_mixed(tmp_path):
    shards = [
        shard(tmp_path / "a", range(1)),
        shard(tmp_path / "b", range(1, 3), magnification=20),
    ]
    with pytest.raises(InputError, match="same slide, settings and inputs"):
        gather_predictions(shards, 3, tmp_path / "whole")
