"""A file of splits that was changed after it was frozen is refused."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sthelar_build.core.frozen_splits import content_hash
from sthelar_build.errors import InputError
from sthelar_build.io.splits import read_splits, write_splits
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import SPLITS

TABLE = pd.DataFrame(
    {"slide": ["a", "a"], "patch_id": [0, 1], "split": ["train", None], "reason": [None, "guard"]}
).astype({"patch_id": "uint32"})


def test_splits_come_back_with_their_facts_and_their_hash(tmp_path):
    write_splits(tmp_path / "splits.parquet", TABLE, {}, {"strategy": "space"})
    table, facts = read_splits(tmp_path / "splits.parquet")
    assert facts == {"strategy": "space", "sha256": content_hash(TABLE)}
    assert table["split"].tolist() == ["train", None]


def test_a_split_that_was_changed_is_refused_in_one_line(tmp_path):
    path = tmp_path / "splits.parquet"
    write_splits(path, TABLE, {}, {})
    table = pq.read_table(path)
    changed = table.set_column(2, table.schema.field("split"), [["test", None]])
    pq.write_table(changed, path)
    with pytest.raises(InputError, match="changed after they were frozen") as error:
        read_splits(path)
    assert "\n" not in str(error.value)


def test_splits_without_a_hash_are_refused(tmp_path):
    write_table(tmp_path / "splits.parquet", TABLE, SPLITS, {})
    with pytest.raises(
        InputError, match="expected splits with the content hash that collect writes"
    ):
        read_splits(tmp_path / "splits.parquet")
