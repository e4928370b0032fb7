"""Over-merged clusters are taken apart where their molecules and markers say so, and only there."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.splitting import (
    PartCall,
    Parts,
    SplitEvidence,
    SplitRule,
    split_clusters,
)

RULE = SplitRule(min_cluster_purity=0.9, min_split_cells=3, molecule_weight=0.5)
T, B = 0, 1
# Cluster 0 holds eight T cells and four B cells, cluster 1 four T cells. Columns: a gene of T, one of B, one of both.
KIND = np.array([T] * 8 + [B] * 4 + [T] * 4)
CLUSTERS = np.array([0] * 12 + [1] * 4)
COUNTS = sp.csr_matrix(np.where((KIND == T)[:, None], [20, 1, 10], [1, 20, 10]).astype(float))
NOBODY = np.zeros((16, 2))


def by_commonest(*, by_markers=True, rivals=None, named=("T_NK", "B_Plasma")):
    """Call a part by the kind of most of its cells, or Other where it is empty."""

    def call(parts, n_parts):
        calls = []
        for number in range(n_parts):
            kinds = KIND[parts == number]
            name = named[np.bincount(kinds).argmax()] if len(kinds) else "Other"
            calls.append(PartCall(name, by_markers, rivals))
        return calls

    return call


def split(named, call=None, rule=RULE, shown=NOBODY):
    seen = SplitEvidence(COUNTS, np.array(named), shown)
    return split_clusters(seen, CLUSTERS, 2, call or by_commonest(), rule)


def test_a_hidden_class_becomes_a_part_of_its_own():
    found = split(KIND)
    assert found.part.tolist() == [0] * 8 + [1] * 4 + [2] * 4
    assert found.parent.tolist() == [0, 0, 1]
    assert found.names(["7", "8"]) == ["7.1", "7.2", "8"]


def test_molecules_gather_the_cells_that_were_named_wrongly():
    named = KIND.copy()
    named[[0, 11]] = B, T
    assert split(named).part.tolist() == split(KIND).part.tolist()


def test_cells_that_nobody_names_follow_their_molecules():
    named = np.where(np.arange(16) == 11, -1, KIND)
    assert split(named).part.tolist() == split(KIND).part.tolist()


def test_a_cluster_stays_whole_if_its_parts_are_of_one_class():
    found = split(KIND, by_commonest(named=("T_NK", "T_NK")))
    assert found.parent.tolist() == [0, 1]


def test_a_part_needs_markers_of_its_own():
    assert split(KIND, by_commonest(by_markers=False)).parent.tolist() == [0, 1]


def test_a_split_must_not_cost_a_class():
    def call(parts, n_parts):
        whole = n_parts == 2
        return [
            PartCall("T_NK" if whole else ("Other", "B_Plasma", "T_NK")[n], True, None)
            for n in range(n_parts)
        ]

    assert split(np.r_[KIND[:12], [T] * 4], call).parent.tolist() == [0, 1]


def test_an_undecided_cluster_gives_its_callable_part_away():
    found = split(KIND, by_commonest(named=("Other", "B_Plasma")))
    assert found.part.tolist() == [0] * 8 + [1] * 4 + [2] * 4


def test_parts_below_the_least_size_are_not_made():
    rule = SplitRule(0.9, 5, 0.5)
    assert split(KIND, rule=rule).parent.tolist() == [0, 1]


def test_a_purity_of_0_leaves_all_clusters_whole():
    assert split(KIND, rule=SplitRule(0.0, 3, 0.5)).parent.tolist() == [0, 1]


def test_a_type_that_tangram_does_not_know_is_found_by_the_markers_that_rival():
    shown = COUNTS.toarray()[:, :2]
    unseen = np.full(16, T)
    assert split(unseen, shown=shown).parent.tolist() == [0, 1]
    found = split(unseen, by_commonest(rivals=(T, B)), shown=shown)
    assert found.part.tolist() == [0] * 8 + [1] * 4 + [2] * 4


def test_a_part_is_named_after_its_cluster_and_a_whole_cluster_keeps_its_name():
    found = Parts(np.array([0, 1, 2]), np.array([0, 1, 1]))
    assert found.names(["a", "b"]) == ["a", "b.1", "b.2"]


@pytest.mark.parametrize("n_clusters", [0, 1])
def test_without_cells_there_is_nothing_to_split(n_clusters):
    seen = SplitEvidence(COUNTS[:0], KIND[:0], NOBODY[:0])
    found = split_clusters(seen, CLUSTERS[:0], n_clusters, by_commonest(), RULE)
    assert found.part.tolist() == []
    assert len(found.parent) == n_clusters
