"""Decisions are applied from the first to the last, and every change is accounted for."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.cluster_keys import HashedClusters
from sthelar_build.core.curation import curate
from sthelar_build.core.decision_targets import Places
from sthelar_build.core.decisions import Decision, NamedCells, NamedCluster, target_of
from sthelar_build.schema.tables import EVIDENCE, LABELS, OVERRIDES
from sthelar_build.schema.vocabulary import find

CELLS = ["a", "b", "c", "d"]
CLUSTERS = pd.Series(["0", "1", "1", None], dtype=object)
KEYS = HashedClusters(CELLS, CLUSTERS)
PLACES = Places(np.zeros((4, 2)), None)


@pytest.fixture
def labels():
    words = {"label1": "x", "label3": "normal_cell", "decided_by": "markers"}
    table = pd.DataFrame(
        {
            "cell_id": CELLS,
            "final_label": ["T_NK", "Epithelial", "T_NK", "Other"],
            "label2": ["T_CD8", "mammary_luminal", "T_CD8", "less10"],
            "confidence": np.array([0.5, 0.6, 0.7, 0], dtype=np.float32),
            "cluster": CLUSTERS,
            **words,
        }
    )
    return table[LABELS.names]


@pytest.fixture
def evidence():
    rows = [{"cluster": name, "final_label": "T_NK", "top_genes": "CD3D"} for name in "012"]
    return pd.DataFrame(rows, columns=EVIDENCE.names)


def decision(line, target, label, only=None):
    return Decision(
        f"t.tsv: line {line}",
        line,
        f"target {line}",
        target,
        find(label),
        "A. P.",
        "2026-01-31",
        "KIT",
        only,
    )


def run(labels, evidence, *decisions):
    return curate(labels, evidence, decisions, PLACES, "cancer")


def test_without_decisions_nothing_changes_but_the_keys(labels, evidence):
    found = run(labels, evidence)
    pd.testing.assert_frame_equal(found.labels, labels)
    assert found.evidence["cluster_key"].tolist() == [
        target_of(KEYS.key("0")),
        target_of(KEYS.key("1")),
        None,
    ]
    assert found.overrides.empty
    assert found.overrides.columns.tolist() == OVERRIDES.names


def test_a_cluster_takes_its_label_in_cells_and_evidence(labels, evidence):
    found = run(labels, evidence, decision(2, NamedCluster(KEYS.key("1")), "Mast"))
    assert found.labels["final_label"].tolist() == ["T_NK", "Myeloid", "Myeloid", "Other"]
    assert found.labels["decided_by"].tolist() == ["markers", "curation", "curation", "markers"]
    assert found.labels["confidence"].tolist() == pytest.approx([0.5, 1, 1, 0])
    assert found.labels["confidence"].dtype == np.float32
    row = found.evidence.iloc[1]
    assert (row["final_label"], row["label2"], row["decided_by"]) == ("Myeloid", "Mast", "curation")
    assert row["reason"] == "curated by A. P. on 2026-01-31: KIT"
    assert row["top_genes"] == "CD3D"
    assert found.evidence.iloc[0]["final_label"] == "T_NK"
    assert labels["final_label"].tolist()[1] == "Epithelial"


def test_a_part_of_a_cluster_leaves_its_evidence_alone(labels, evidence):
    found = run(labels, evidence, decision(2, NamedCluster(KEYS.key("1")), "Mast", only="T_NK"))
    assert found.labels["final_label"].tolist() == ["T_NK", "Epithelial", "Myeloid", "Other"]
    assert found.evidence["final_label"].tolist() == ["T_NK"] * 3


def test_the_last_line_on_a_cell_counts_and_the_table_says_what_is_left(labels, evidence):
    found = run(
        labels,
        evidence,
        decision(2, NamedCluster(KEYS.key("1")), "Mast"),
        decision(5, NamedCells(["c", "d"]), "mammary_luminal"),
    )
    assert found.labels["label2"].tolist() == [
        "T_CD8",
        "Mast",
        "mammary_luminal",
        "mammary_luminal",
    ]
    assert found.labels["label3"].tolist()[1:] == ["normal_cell", "cancer_cell", "cancer_cell"]
    table = found.overrides
    columns = ["line", "from_class", "from_label", "to_label", "n_cells", "n_kept"]
    assert table[columns].to_numpy().tolist() == [
        [2, "Epithelial", "mammary_luminal", "Mast", 1, 1],
        [2, "T_NK", "T_CD8", "Mast", 1, 0],
        [5, "Myeloid", "Mast", "mammary_luminal", 1, 1],
        [5, "Other", "less10", "mammary_luminal", 1, 1],
    ]
    assert (table["who"] == "A. P.").all()


def test_a_restriction_sees_what_the_lines_above_left(labels, evidence):
    first = decision(2, NamedCells(["a"]), "Mast")
    second = decision(3, NamedCells(["a", "c"]), "mammary_luminal", only="Myeloid")
    found = run(labels, evidence, first, second)
    assert found.labels["label2"].tolist()[:3] == ["mammary_luminal", "mammary_luminal", "T_CD8"]


def test_a_restriction_that_leaves_no_cell_is_noted_and_kept_in_the_table(labels, evidence):
    found = run(labels, evidence, decision(2, NamedCells(["a"]), "Mast", only="Melanocyte"))
    assert found.notes == ("t.tsv: line 2: none of its cells is of class Melanocyte",)
    row = found.overrides.iloc[0]
    assert (row["from_class"], row["n_cells"], row["n_kept"]) == (None, 0, 0)
