"""Parts of slides add up; scores are means of what is defined."""

import numpy as np
import pytest

from slides import evaluations
from sthelar_build.core.evaluated_tables import parts_of
from sthelar_build.core.model_parts import SCORES, mean_pq, pooled


def part(slide, pairs, quality, counts):
    split = {"test": evaluations.detection(*counts)}
    cells, shown = evaluations.nuclei(pairs), evaluations.patches(quality)
    classes = evaluations.CLASSES
    return parts_of(slide, cells, shown, split, classes.names, classes.n_classes)[0]


ONE = part("one", [(1, 1), (2, 1), (3, 0)], 0.4, (3, 1, 0))
OTHER = part("other", [(2, 2)], 0.8, (1, 0, 3))


def test_scores_of_a_slide():
    scores = ONE.scores(other=3)
    assert tuple(scores) == SCORES
    assert scores["bPQ"] == pytest.approx(0.4)
    assert scores["detection_F1"] == pytest.approx(6 / 7)
    assert scores["accuracy"] == pytest.approx(1 / 3)
    assert scores["balanced_accuracy"] == pytest.approx(1 / 3)
    assert scores["accuracy_without_other"] == 0.5


def test_pooling_adds_counts_and_joins_patches():
    both = pooled([ONE, OTHER])
    assert (both.slide, both.split, both.n_patches, both.n_nuclei) == ("all", "test", 8, 4)
    assert both.counts.sum() == 4
    assert both.detection.scores().f1 == pytest.approx(8 / 12)
    assert both.scores(3)["Dice"] == pytest.approx(0.6)
    np.testing.assert_allclose(mean_pq(both), [0.6, 0.6, np.nan])


def test_a_part_without_nuclei_is_not_defined():
    classes = evaluations.CLASSES
    cells, shown = evaluations.nuclei([(1, 1)]).iloc[:0], evaluations.patches(0.5, n=0)
    split = {"test": evaluations.detection(0, 0, 0)}
    empty = parts_of("s", cells, shown, split, classes.names, classes.n_classes)[0]
    assert (empty.n_patches, empty.n_nuclei) == (1, 0)
    assert np.isnan(list(empty.scores(3).values())).all()
