"""Agreement is accepted, clear markers win, and what nobody speaks for is Other."""

import numpy as np

from sthelar_build.core.voting import (
    Thresholds,
    Witnesses,
    as_tumour,
    decide,
    entry_of,
    majority,
    of_brain_tumour,
    types_on_slide,
)
from sthelar_build.schema.vocabulary import find

THRESHOLDS = Thresholds(min_marker_score=1.0, min_marker_margin=0.5, min_tangram_share=0.6)


def ruling(tangram, share, marker, score, margin, own):
    seen = Witnesses(tangram, share, marker, score, margin, own)
    return decide(seen, THRESHOLDS)


def test_two_witnesses_that_agree_are_believed():
    assert ruling("T_NK", 0.4, "T_NK", 3, 2, 3).decided_by == "agreement"


def test_clear_markers_overrule_tangram():
    found = ruling("T_NK", 0.9, "Myeloid", 3, 2, 1)
    assert (found.class_name, found.decided_by) == ("Myeloid", "markers")


def test_markers_that_do_not_tell_two_classes_apart_leave_it_to_tangram():
    found = ruling("T_NK", 0.9, "Myeloid", 3, 0.2, 2.8)
    assert (found.class_name, found.decided_by) == ("T_NK", "agreement")


def test_a_weak_majority_and_ambiguous_markers_are_nobody():
    found = ruling("T_NK", 0.5, "Myeloid", 3, 0.2, 2.8)
    assert (found.class_name, found.decided_by) == ("Other", "neither")


def test_silent_markers_are_nobody():
    assert ruling("T_NK", 0.9, "T_NK", 0.3, 0.3, 0.3).class_name == "Other"


def test_a_class_without_markers_on_the_panel_rests_on_tangram():
    found = ruling("Specialized", 0.9, "Myeloid", 0.5, 0.1, None)
    assert (found.class_name, found.decided_by) == ("Specialized", "tangram")


def test_tangram_alone_cannot_make_a_cluster_other():
    assert ruling("Other", 1.0, None, 0, 0, None).decided_by == "neither"


def test_a_cluster_without_any_evidence_is_other():
    assert ruling(None, 0, None, 0, 0, None).class_name == "Other"


def test_votes_are_shares_of_those_who_vote():
    votes = majority(np.array([0, 1, 1, -1, 1]), np.array([0, 0, 0, 0, -1]), 2, 2)
    np.testing.assert_allclose(votes, [[1 / 3, 2 / 3], [0, 0]])


def test_astrocytes_of_a_brain_tumour_are_glioblastoma():
    assert of_brain_tumour("Brain", "cancer")
    assert not of_brain_tumour("Brain", "normal")
    assert as_tumour(find("fibrous astrocyte")).class_name == "Glioblastoma"
    assert as_tumour(find("microglia")).class_name == "Myeloid"


def test_glioblastoma_is_looked_for_only_in_a_brain_tumour():
    def looked_for(tissue, condition):
        return {kind.label for kind in types_on_slide(tissue, condition)}

    assert "Glioblastoma" in looked_for("Brain", "cancer")
    assert "Glioblastoma" not in looked_for("Brain", "normal")
    assert "Astrocyte" in looked_for("Brain", "normal")


def test_a_label_of_another_class_gives_way_to_the_class():
    assert entry_of("T_CD8", "T_NK", {}).label1 == "T"
    assert entry_of("T_CD8", "Myeloid", {}).label == "Myeloid"
    assert entry_of(None, "Other", {}).label == "Unknown"
