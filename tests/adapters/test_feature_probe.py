"""A linear probe on held-out slides: features that carry the class are told from those that do not."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from slides import evaluations
from sthelar_build.adapters.feature_probe import ProbedSlide, probe, probe_table, sampled
from sthelar_build.io.counts import write_h5ad


def slide(name, seed, informative=True, classes=(1, 2), n=60):
    rng = np.random.default_rng(seed)
    codes = np.repeat(classes, n // len(classes))
    features = rng.normal(size=(len(codes), 5))
    if informative:
        features[:, 0] += 4 * codes
    # Another unit on every slide but not of what tells: the probe standardises.
    return ProbedSlide(name, (features * 100).astype(np.float32), codes)


def test_features_that_carry_the_class_are_recognised_on_a_new_slide():
    found = probe([slide("a", 1), slide("b", 2), slide("c", 3)])
    assert [(one.slide, one.n, one.n_classes) for one in found] == [
        ("a", 60, 2),
        ("b", 60, 2),
        ("c", 60, 2),
    ]
    assert min(one.balanced_accuracy for one in found) > 0.9


def test_features_of_noise_do_no_better_than_chance():
    found = probe([slide("a", 1, False, n=400), slide("b", 2, False, n=400)])
    assert all(0.35 < one.balanced_accuracy < 0.65 for one in found)


def test_classes_that_no_other_slide_has_are_not_asked_for():
    found = probe([slide("a", 1, classes=(1, 2, 3)), slide("b", 2)])
    assert [(one.slide, one.n, one.n_classes) for one in found] == [("a", 40, 2), ("b", 60, 2)]


def test_a_slide_alone_or_without_shared_classes_is_left_out():
    assert probe([slide("a", 1)]) == []
    assert probe([slide("a", 1, classes=(1,)), slide("b", 2, classes=(1,))]) == []


def test_every_class_is_sampled_alike():
    codes = np.array([1] * 100 + [2] * 5 + [-1] * 10)
    rows = sampled(codes, 40, seed=0)
    assert np.bincount(codes[rows]).tolist() == [0, 20, 5]
    np.testing.assert_array_equal(rows, sampled(codes, 40, seed=0))
    assert len(sampled(np.array([-1, -1]), 40, 0)) == 0


@pytest.fixture
def files(tmp_path):
    features, nuclei = [], {}
    for number, name in enumerate("abc"):
        folder = tmp_path / name
        cells, shown = evaluations.confused(30, 3), evaluations.patches(0.5)
        counts = {"test": evaluations.detection(1, 1, 1)}
        manifest = evaluations.write(folder / "evaluation_40x", name, cells, shown, counts)
        nuclei[name] = manifest.parent / "nuclei.parquet"
        values = np.random.default_rng(number).normal(size=(60, 3)).astype(np.float32)
        values[:, 0] += 5 * (np.arange(60) < 30)
        values[0] = np.nan
        obs = pd.DataFrame({"nucleus_id": cells.nucleus_id.to_numpy()}, index=map(str, range(60)))
        write_h5ad(folder / "features_net.h5ad", AnnData(values, obs=obs), {"stage": "test"})
        features.append(folder / "features_net.h5ad")
    return features, nuclei


def test_tables_of_features_are_probed_by_model(files):
    features, nuclei = files
    del nuclei["c"]
    table = probe_table(features, nuclei, evaluations.CLASSES.names, 1000, seed=1)
    assert table.model.tolist() == ["net", "net"]
    assert table.held_out_slide.tolist() == ["a", "b"]
    assert table.n.tolist() == [59, 59]
    assert (table.balanced_accuracy > 0.9).all()


def test_without_features_there_is_nothing(files):
    table = probe_table([], files[1], evaluations.CLASSES.names, 1000, seed=1)
    assert table.empty
    assert "balanced_accuracy" in table
