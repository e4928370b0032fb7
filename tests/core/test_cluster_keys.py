"""A key finds its cluster again under any number, and tells when the number means other cells."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.cluster_keys import SAMPLE, ClusterKey, HashedClusters, hashes

IDS = [f"aaaa{number:04d}-1" for number in range(1000)]
# 0 holds 600 cells, 1 holds 390; the last ten are in none.
CLUSTERS = pd.Series(["0"] * 600 + ["1"] * 390 + [None] * 10, dtype=object)


@pytest.fixture(scope="module")
def before():
    return HashedClusters(IDS, CLUSTERS)


def after(change):
    clusters = CLUSTERS.copy()
    change(clusters)
    return HashedClusters(IDS, clusters)


def test_a_key_survives_being_written_down(before):
    for name in ("0", "1"):
        key = before.key(name)
        assert ClusterKey.parse(str(key)) == key
    assert str(before.key("0")).startswith("0@600.")
    assert before.names == ["0", "1"]
    assert before.key("7") is None


def test_a_key_samples_the_lowest_hashes(before):
    assert before.key("1").sample == tuple(sorted(hashes(IDS[600:990]))[:SAMPLE])
    assert hashes(["aaaa0000-1"]).tolist() == [hashes(IDS)[0]]
    assert (hashes(IDS) < 2**30).all()


def test_the_order_of_the_cells_does_not_matter(before):
    order = np.random.default_rng(0).permutation(1000)
    shuffled = HashedClusters([IDS[row] for row in order], CLUSTERS.iloc[order])
    assert shuffled.key("0") == before.key("0")


def test_the_same_clusters_are_the_same(before):
    found = before.compare(before.key("0"))
    assert found.same
    assert found.unchanged
    assert found.now_in == {"0": SAMPLE}


def test_a_few_cells_more_or_less_leave_a_cluster_what_it_was(before):
    now = after(lambda clusters: clusters.__setitem__(slice(0, 12), "1"))
    found = now.compare(before.key("0"))
    assert found.same
    assert not found.unchanged


def test_swapped_numbers_are_told_with_the_new_number(before):
    now = after(lambda clusters: clusters.replace({"0": "1", "1": "0"}, inplace=True))
    found = now.compare(before.key("0"))
    assert not found.same
    assert found.shared == 0
    assert found.now_in == {"1": SAMPLE}
    assert found.new.size == 390


def test_a_cluster_that_took_in_another_is_not_the_same(before):
    now = after(lambda clusters: clusters.replace({"1": "0"}, inplace=True))
    found = now.compare(before.key("0"))
    assert found.now_in == {"0": SAMPLE}
    assert not found.same


def test_half_of_a_cluster_is_not_the_same(before):
    now = after(lambda clusters: clusters.__setitem__(slice(0, 300), "2"))
    found = now.compare(before.key("0"))
    assert not found.same
    assert set(found.now_in) == {"0", "2"}


def test_equal_sizes_with_other_cells_are_not_the_same(before):
    def change(clusters):
        clusters[:210], clusters[600:810] = "1", "0"

    found = after(change).compare(before.key("0"))
    assert found.new.size == found.old.size
    assert not found.same


def test_a_cluster_that_is_gone_and_cells_that_are_gone_are_said(before):
    rest = HashedClusters(IDS[500:], CLUSTERS[500:].replace({"0": "9"}))
    found = rest.compare(before.key("0"))
    assert found.new is None
    assert not found.same
    assert sum(found.now_in.values()) == SAMPLE
    assert found.now_in[None] > 0


def test_a_small_cluster_is_known_by_all_its_cells():
    small = HashedClusters(["a", "b", "c"], pd.Series(["0", "0", "1"]))
    key = small.key("0")
    assert key.sample == tuple(sorted(hashes(["a", "b"])))
    assert small.compare(key).unchanged
    other = HashedClusters(["a", "b", "c"], pd.Series(["0", "1", "0"]))
    assert not other.compare(key).same


@pytest.mark.parametrize(
    "text",
    [
        "7",
        "7@",
        "7@812",
        "@1.AAAAA",
        "7@2.AAAAA",
        "7@1.AAAA",
        "7@1.AAA A",
        "7@0.",
        "7@2.BBBBBAAAAA",
    ],
)
def test_what_is_no_whole_key_is_refused(text):
    with pytest.raises(ValueError, match="key of a cluster"):
        ClusterKey.parse(text)
