"""Folders of masks joined: files, tables, sums."""

import json

import numpy as np

from sthelar_build.io.gathered_masks import gather_masks
from sthelar_build.io.gathering import GRID_ROWS
from sthelar_build.io.masks import MasksWriter, open_masks
from sthelar_build.io.provenance import provenance

SIDE, COLUMNS, ROWS = 4, 3, 3


def shard(folder, rows, n_instances):
    with MasksWriter(folder, ROWS, COLUMNS, SIDE, provenance("test")) as writer:
        for row in rows:
            writer.write_maps(row, np.full((COLUMNS, SIDE, SIDE), row + 1, np.uint32))
            writer.write_table(
                {
                    "patch_id": np.array([row * COLUMNS], dtype=np.uint32),
                    "nucleus_id": np.array([row + 1], dtype=np.uint32),
                    "class_index": np.array([1], dtype=np.uint8),
                    "visible_px": np.array([16]),
                    "visible_fraction": np.array([1], dtype=np.float32),
                    "touches_border": np.array([True]),
                }
            )
        facts = {"n_instances": n_instances, "n_slivers": 1, "um_per_px": 0.5}
        counts = {"instances_per_class": {"T_NK": n_instances, "Other": 0}}
        compared = {"difference": None, "difference_reason": "not_run"}
        writer.finish({GRID_ROWS: [rows.start, rows.stop], **facts, **counts, **compared})
    return folder


def test_rows_tables_and_sums_of_all_shards_come_together(tmp_path):
    shards = [
        shard(tmp_path / "b", range(2, 3), 5),
        shard(tmp_path / "empty", range(2, 2), 0),
        shard(tmp_path / "a", range(2), 7),
    ]
    gather_masks(shards, ROWS, tmp_path / "masks")
    masks = open_masks(tmp_path / "masks")
    assert masks.instances_between(0, 9)[:, 0, 0].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert masks.table["nucleus_id"].tolist() == [1, 2, 3]
    record = json.loads((tmp_path / "masks" / "manifest.json").read_text())
    assert record[GRID_ROWS] == [0, 3]
    assert (record["n_instances"], record["n_slivers"]) == (12, 3)
    assert record["instances_per_class"] == {"T_NK": 12, "Other": 0}
