"""Cells of a decision are found, and what cannot be meant is refused in one line."""

import re

import numpy as np
import pandas as pd
import pytest
from shapely import box

from sthelar_build.core.cluster_keys import HashedClusters
from sthelar_build.core.decision_targets import Places, TargetFinder
from sthelar_build.core.decisions import Decision, NamedCells, NamedCluster, Region, target_of
from sthelar_build.errors import ConfigError
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.vocabulary import find

# Forty cells on a line, 1 um apart; 0 to 19 are cluster 0, 20 to 37 cluster 1, the last two in none.
IDS = [f"c{number:02d}" for number in range(40)]
CLUSTERS = pd.Series(["0"] * 20 + ["1"] * 18 + [None] * 2, dtype=object)
LABELS = pd.DataFrame(
    {
        "cell_id": IDS,
        "cluster": CLUSTERS,
        "final_label": ["T_NK"] * 10 + ["Epithelial"] * 28 + ["Other"] * 2,
    }
)
POINTS = np.column_stack([np.arange(40.0), np.zeros(40)])
UM_TO_HE = Affine(np.array([[4.0, 0, 100], [0, 4, 200], [0, 0, 1]]), Frame.UM, Frame.HE)


def key(name, clusters=CLUSTERS):
    return HashedClusters(IDS, clusters).key(name)


def finder(clusters=CLUSTERS, um_to_he=UM_TO_HE):
    labels = LABELS.assign(cluster=clusters)
    return TargetFinder(labels, HashedClusters(IDS, clusters), Places(POINTS, um_to_he))


def rows(target, only=None, found=None):
    decision = Decision("t.tsv: line 2", 2, "x", target, find("Mast"), "A", "2026-01-31", "y", only)
    return np.flatnonzero((found or finder()).rows(decision)).tolist()


def refusal(*arguments, **options):
    with pytest.raises(ConfigError) as caught:
        rows(*arguments, **options)
    message = str(caught.value)
    assert message.startswith("t.tsv: line 2: expected ")
    assert "\n" not in message
    return message


def test_a_cluster_is_found_by_its_key():
    assert rows(NamedCluster(key("1"))) == list(range(20, 38))


def test_cells_are_found_by_id_also_those_in_no_cluster():
    assert rows(NamedCells(["c39", "c03"])) == [3, 39]


def test_a_region_in_um_holds_the_centroids_on_its_border():
    assert rows(Region(box(2, -1, 5, 1), Frame.UM)) == [2, 3, 4, 5]


def test_a_region_on_the_he_goes_through_the_transform():
    assert rows(Region(box(108, 199, 119, 201), Frame.HE)) == [2, 3, 4]


def test_a_region_can_be_restricted_to_a_class_or_a_cluster():
    region = Region(box(8, -1, 22, 1), Frame.UM)
    assert rows(region, only="T_NK") == [8, 9]
    assert rows(region, only=NamedCluster(key("1"))) == [20, 21, 22]


def test_a_cluster_without_its_key_is_refused_with_the_key_to_write():
    message = refusal(NamedCluster("1"))
    assert "found its number alone" in message
    assert f"the 18 cells that it holds now, write {target_of(key('1'))}" in message
    assert "this slide (0, 1), found '9'" in refusal(NamedCluster("9"))


def test_a_stale_cluster_is_refused_with_its_new_place():
    swapped = CLUSTERS.replace({"0": "1", "1": "0"})
    message = refusal(NamedCluster(key("0")), found=finder(swapped))
    assert "cluster 0 as it was (20 cells), but it now holds 18 other cells" in message
    assert "about 100% of the old one are in cluster 1 now" in message
    assert target_of(key("1", swapped)) in message


def test_a_cluster_that_was_merged_or_is_gone_is_refused():
    merged = CLUSTERS.replace({"1": "0"})
    message = refusal(NamedCluster(key("0")), found=finder(merged))
    assert re.search(r"it now holds 38 cells, of which it shares about \d+% with then", message)
    message = refusal(NamedCluster(key("1")), found=finder(merged))
    assert "but it is gone; about 100% of the old one are in cluster 0 now" in message
    nobody = pd.Series([None] * 40, dtype=object)
    assert "are in no cluster now" in refusal(NamedCluster(key("1")), found=finder(nobody))


def test_a_stale_cluster_in_the_restriction_is_refused_too():
    swapped = CLUSTERS.replace({"0": "1", "1": "0"})
    region = Region(box(8, -1, 22, 1), Frame.UM)
    assert "cluster 0 as it was" in refusal(region, NamedCluster(key("0")), finder(swapped))


def test_a_cluster_that_changed_a_little_is_taken_with_a_note():
    grown = CLUSTERS.copy()
    grown[38] = "1"
    found = finder(grown)
    target = NamedCluster(key("1"))
    assert rows(target, found=found) == list(range(20, 39))
    assert found.notes == [
        "t.tsv: line 2: cluster 1 has changed a little since it was looked at: 18 cells then, 19 now"
    ]


def test_unknown_cells_are_refused():
    message = refusal(NamedCells(["c01", *(f"other-{n}" for n in range(7))]))
    assert (
        "found 7 of 8 that it does not have: other-0, other-1, other-2, other-3, other-4, ..."
        in message
    )


def test_an_empty_region_is_refused_with_both_extents():
    message = refusal(Region(box(0, 0, 9, 9), Frame.HE))
    assert (
        "none in x 0 to 9, y 0 to 9 px of the H&E; the cells lie in x 100 to 256, y 200 to 200"
        in message
    )


def test_a_region_on_the_he_without_a_transform_is_refused():
    region = Region(box(0, 0, 9, 9), Frame.HE)
    assert "give --transform" in refusal(region, found=finder(um_to_he=None))
