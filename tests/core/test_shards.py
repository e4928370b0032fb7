"""Shards share out the rows of a grid, each row once."""

import pytest

from sthelar_build.core.shards import Shard


@pytest.mark.parametrize(("n_rows", "n_shards"), [(10, 1), (10, 3), (3, 7), (0, 2), (281, 7)])
def test_every_row_belongs_to_one_shard_in_order(n_rows, n_shards):
    shards = [Shard(number, n_shards) for number in range(1, n_shards + 1)]
    assert [row for shard in shards for row in shard.rows(n_rows)] == list(range(n_rows))
    sizes = [len(shard.rows(n_rows)) for shard in shards]
    assert max(sizes) - min(sizes) <= 1


def test_more_shards_than_rows_leave_some_empty():
    assert [len(Shard(number, 3).rows(1)) for number in (1, 2, 3)] == [0, 0, 1]


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "1/0", "a/b", "1/2/3", " 1/2"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(ValueError, match="such as 2/7"):
        Shard.parse(text)
