"""A decision says in words what it is."""

import pandas as pd
import pytest

from sthelar_build.core.cluster_keys import HashedClusters
from sthelar_build.core.decisions import Decision, NamedCells, NamedCluster, target_of
from sthelar_build.schema.vocabulary import find

KEY = HashedClusters(["a", "b"], pd.Series(["7", "7"])).key("7")


def decision(only=None):
    cells = NamedCells(["a"])
    return Decision(
        "t.tsv: line 2", 2, "cell a", cells, find("Mast"), "A. P.", "2026-01-31", "KIT", only
    )


def test_the_reason_names_who_when_and_why():
    assert decision().reason == "curated by A. P. on 2026-01-31: KIT"


@pytest.mark.parametrize(
    ("only", "words"),
    [(None, ""), ("T_NK", "class T_NK"), (NamedCluster(KEY), "cluster 7")],
)
def test_the_restriction_in_words(only, words):
    assert decision(only).only_words == words


def test_a_cluster_has_a_name_with_and_without_a_key():
    assert NamedCluster("7").name == NamedCluster(KEY).name == "7"


def test_the_target_to_copy_is_the_key_of_the_cluster():
    assert target_of(KEY) == f"cluster:7@2.{str(KEY)[4:]}"
