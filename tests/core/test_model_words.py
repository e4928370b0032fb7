"""What a comparison shows is said in sentences that hold."""

from slides import evaluations
from sthelar_build.core import model_words
from sthelar_build.core.evaluated_tables import parts_of
from sthelar_build.core.model_tables import slide_table

CLASSES = evaluations.CLASSES


def part(cells, quality=0.6, slide="a", split="test"):
    counts = {split: evaluations.detection(8, 1, 1)}
    shown = evaluations.patches(quality, split=split)
    cells = cells.assign(split=split)
    return parts_of(slide, cells, shown, counts, CLASSES.names, CLASSES.n_classes)[0]


SOME_WRONG = part(evaluations.confused(10, 3))


def test_the_overview_names_every_figure():
    words = model_words.overview(SOME_WRONG, 1, other=3)
    assert "4 patches of 1 slide, 20 nuclei" in words
    assert "detection F1 of 0.89" in words
    assert "bPQ of 0.60" in words
    assert "85.0 %" in words


def test_classes_are_ranked_and_the_rare_and_the_absent_told():
    cells = evaluations.nuclei([(1, 1)] * 6 + [(2, 1)] * 3 + [(2, 2)] * 3 + [(3, 3)])
    words = model_words.class_words(part(cells), CLASSES.grouping.names, min_nuclei=5)
    assert words == [
        "Agrees best: cancer_cell (F1 0.80).",
        "Agrees least: normal_cell (F1 0.67).",
        "Too few nuclei to be judged: Other (1).",
    ]
    never = model_words.class_words(
        part(evaluations.nuclei([(1, 2)] * 5)), CLASSES.grouping.names, 5
    )
    assert never[0] == "Never named rightly: cancer_cell."
    none = model_words.class_words(SOME_WRONG, CLASSES.grouping.names, min_nuclei=5)
    assert none[-1] == "No nucleus of: Other."


def test_a_network_that_knows_one_class_only_is_told_to():
    words = model_words.class_words(
        part(evaluations.nuclei([(1, 2)] * 6 + [(2, 2)] * 4)), CLASSES.grouping.names, 5
    )
    assert any("calls 100.0 % of all nuclei normal_cell, which 40.0 % are" in one for one in words)
    assert not any(
        "calls" in one for one in model_words.class_words(SOME_WRONG, CLASSES.grouping.names, 5)
    )


def test_pairs_that_are_mixed_up_are_told_with_their_counts():
    words = model_words.confusion_words(SOME_WRONG, CLASSES.names, 0.1, 5)
    assert words == ["30.0 % of cancer_cell (3 of 10 nuclei) are taken for normal_cell."]
    unseen = part(evaluations.nuclei([(1, 0)] * 5))
    assert model_words.confusion_words(unseen, CLASSES.names, 0.1, 5) == [
        "100.0 % of cancer_cell (5 of 5 nuclei) are given no type by any pixel."
    ]
    assert model_words.confusion_words(SOME_WRONG, CLASSES.names, 0.5, 5) == []


def test_a_slide_that_falls_behind_is_told_with_what_its_masks_are_like():
    good = [part(evaluations.confused(10, 0), slide=name) for name in "bc"]
    bad = part(evaluations.confused(10, 0), 0.2, "a")
    tissues, jaccard = dict.fromkeys("abc", "Skin"), {"a": 0.3, "b": 0.7, "c": None}
    table = slide_table([bad, *good], tissues, jaccard, 3, 0.1, 5)
    assert model_words.slide_words(table) == [
        "a (Skin): bPQ 0.20 (median of the slides 0.60); its masks agree with nuclei segmented without them by a "
        "Jaccard of 0.30."
    ]


def test_doubtful_labels_are_blamed_where_they_hold_the_disagreement_only():
    words = model_words.confidence_words(SOME_WRONG)
    assert "30.0 % of the nuclei" in words
    assert (
        "hold 100.0 % of the disagreement; by their classes alone they would hold 60.0 %" in words
    )
    assert "the labels' fault" in words
    late = part(evaluations.nuclei([(1, 2)] * 5 + [(2, 2)] * 10))
    assert "does not explain it" in model_words.confidence_words(late)
    assert model_words.confidence_words(part(evaluations.confused(5, 0))) is None


def test_names_of_one_side_are_told():
    record = {"grouping": "cancer_normal", "strangers": ["Odd"], "unknown": ["Other"]}
    strange, unknown = model_words.network_words(record)
    assert "Odd" in strange
    assert "Other" in unknown
    assert model_words.network_words({"strangers": [], "unknown": []}) == []


def test_splits_are_compared_where_there_are_several():
    assert model_words.split_words([SOME_WRONG], 3) is None
    learnt = part(evaluations.confused(10, 0), split="train")
    worse = part(evaluations.confused(10, 9), split="train")
    assert "by heart" not in model_words.split_words([SOME_WRONG, worse], 3)
    words = model_words.split_words([SOME_WRONG, learnt], 3)
    assert "test 85.0 % (bPQ 0.60), train 100.0 %" in words
    assert "by heart" in words
    assert "by heart" not in model_words.split_words(
        [SOME_WRONG, part(evaluations.confused(9, 1), split="valid")], 3
    )
