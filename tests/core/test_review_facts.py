"""What a person can decide on, as a page offers it."""

import json

import numpy as np
import pandas as pd

from sthelar_build.core.review_facts import review_facts

EVIDENCE = pd.DataFrame(
    {
        "cluster": ["0", "1", "1.1"],
        "cluster_key": ["cluster:0@2.AA", None, "cluster:1.1@5.BB"],
        "n_cells": np.array([2, 0, 5], np.uint32),
        "final_label": ["T_NK", "Other", "Epithelial"],
    }
)


def test_clusters_that_have_a_key_can_be_named():
    facts = review_facts("s0", EVIDENCE, None)
    assert facts["clusters"] == [
        {"cluster": "0", "key": "cluster:0@2.AA", "n_cells": 2, "final_label": "T_NK"},
        {"cluster": "1.1", "key": "cluster:1.1@5.BB", "n_cells": 5, "final_label": "Epithelial"},
    ]
    assert json.loads(json.dumps(facts)) == facts


def test_labels_are_the_classes_and_the_vocabulary_each_once():
    labels = review_facts("s0", EVIDENCE, None)["labels"]
    assert {"T_NK", "Mast", "Plasma", "mammary_luminal"} <= set(labels)


def test_other_clusters_are_another_ground_for_decisions():
    first, again = (review_facts("s0", EVIDENCE, text)["of"] for text in (None, "target"))
    other = review_facts("s0", EVIDENCE.assign(cluster_key="cluster:0@3.CC"), None)["of"]
    assert first == again != other
