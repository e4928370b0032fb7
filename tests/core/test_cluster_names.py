"""Clusters are listed as people count."""

from sthelar_build.core.cluster_names import in_order


def test_clusters_are_ordered_by_the_numbers_in_their_names():
    assert in_order(["10", "7.10", "7.2", "0", "7"]) == ["0", "7", "7.2", "7.10", "10"]


def test_names_without_a_number_are_ordered_as_text():
    assert in_order(["b", "a"]) == ["a", "b"]
