"""Evaluate: a network that is right scores full marks, one that swaps the classes none, each in the splits asked for."""

import logging

import pandas as pd
import pytest

from slides import painted_slide
from slides.painted_slide import SLIDE
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.evaluations import read_evaluation
from sthelar_build.io.splits import write_splits
from sthelar_build.settings.evaluate import EvaluateSettings
from sthelar_build.stages import evaluate

COLUMNS = ["train", None, "test", "test", "test"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    files = painted_slide.write_slide(folder / SLIDE)
    painted_slide.write_split(folder / "splits.parquet", files, COLUMNS)
    painted_slide.write_network(folder / "right.pt", "cancer_cell", "normal_cell")
    painted_slide.write_network(folder / "swapped.pt", "normal_cell", "cancer_cell")
    painted_slide.write_network(folder / "theirs.pt", "Round", "cancer_cell")
    return folder


def run(folder, out, checkpoint="right.pt", frozen=None, threads=1, **settings):
    files = painted_slide.files_of(folder / SLIDE)
    named = ("he", "patches", "masks", "metrics", "nuclei", "labels")
    evaluate.run(
        slide=SLIDE,
        scale="40x",
        **{name: getattr(files, name) for name in named},
        splits=frozen or folder / "splits.parquet",
        checkpoint=checkpoint and folder / checkpoint,
        out=out,
        settings=EvaluateSettings(device="cpu", **settings),
        threads=threads,
    )
    return read_evaluation(out / "manifest.json")


def tables(found):
    folder = found.path.parent
    return pd.read_parquet(folder / "nuclei.parquet"), pd.read_parquet(folder / "patches.parquet")


@pytest.fixture(scope="module")
def right(folder, tmp_path_factory):
    return run(folder, tmp_path_factory.mktemp("right") / "evaluation_40x")


def test_a_network_that_is_right_scores_full_marks(right):
    (part,) = right.parts
    scores = part.scores(other=3)
    assert scores["Dice"] == scores["Jaccard"] == scores["detection_F1"] == 1
    assert scores["accuracy"] == scores["balanced_accuracy"] == scores["macro_F1"] == 1
    assert scores["bPQ"] == pytest.approx(1, abs=1e-3)
    assert scores["mPQ"] == pytest.approx(1, abs=1e-3)
    nuclei, _ = tables(right)
    assert (nuclei.voted_share == 1).all()
    assert (nuclei.seen_share == 1).all()


def test_a_network_that_swaps_the_classes_finds_every_nucleus_and_names_none(folder, tmp_path):
    found = run(folder, tmp_path / "out", "swapped.pt")
    (part,) = found.parts
    scores = part.scores(other=3)
    assert scores["Dice"] == scores["detection_F1"] == 1
    assert scores["bPQ"] == pytest.approx(1, abs=1e-3)
    assert (scores["mPQ"], scores["accuracy"], scores["macro_F1"]) == (0, 0, 0)
    assert part.counts[0, 2] > 0
    assert part.counts[0, 1] == part.counts[1, 2] == 0
    assert [one.f1 for one in part.detection.scores_by_type()[1:3]] == [0, 0]


def test_the_patches_of_the_split_are_predicted_and_each_nucleus_told_once(right):
    nuclei, patches = tables(right)
    grid = painted_slide.patch_grid(416, 224, 1.0, 128, 32)
    assert sorted(set(patches.patch_id % grid.columns)) == [2, 3]
    assert (patches.split == "test").all()
    drawn = painted_slide.nuclei_map()[:, 2 * 96 :]
    assert set(nuclei.nucleus_id) == set(drawn.ravel().tolist()) - {0}
    assert nuclei.nucleus_id.is_unique
    assert nuclei.n_patches.min() >= 1
    assert nuclei.n_patches.max() > 1


def test_the_manifest_says_what_the_tables_say(right):
    nuclei, patches = tables(right)
    record, told = right.record, right.record["splits"]["test"]
    assert (told["n_patches"], told["n_nuclei"]) == (len(patches), len(nuclei))
    assert sum(map(sum, told["confusion"])) == len(nuclei)
    assert told["scores"]["Dice"] == pytest.approx(patches.Dice.mean())
    assert told["detection"]["tp"] == patches.n_true.sum() == patches.n_predicted.sum()
    assert (record["grouping"], record["unknown"]) == ("cancer_normal", ["Other"])
    assert record["qc_jaccard"] == 0.5
    assert record["provenance"]["inputs"]["checkpoint"]["sha256"] == record["network"]["sha256"]


def test_threads_and_batches_change_nothing(folder, right, tmp_path):
    other = run(folder, tmp_path / "out", threads=3, batch_size=3)
    for mine, theirs in zip(tables(right), tables(other), strict=True):
        pd.testing.assert_frame_equal(mine, theirs)


def test_empty_splits_take_all_patches_and_what_may_be_learnt_from_is_train(folder, tmp_path):
    found = run(folder, tmp_path / "out", splits=())
    assert [part.split for part in found.parts] == ["test", "train", "none"]
    nuclei, patches = tables(found)
    assert len(nuclei) == len(painted_slide.DISCS)
    assert patches.split.isna().any()
    shown_by_train = painted_slide.nuclei_map()[:, :128]
    assert set(nuclei.nucleus_id[nuclei.split == "train"]) == set(shown_by_train.ravel()) - {0}


def test_a_slide_without_patches_in_the_split_leaves_an_empty_evaluation(folder, tmp_path):
    table = pd.read_parquet(folder / "splits.parquet").assign(split=None, reason="registration")
    write_splits(tmp_path / "splits.parquet", table, {"stage": "test"}, {})
    found = run(folder, tmp_path / "out", frozen=tmp_path / "splits.parquet")
    assert (found.parts, found.record["n_patches"]) == ([], 0)


def test_types_that_are_no_class_are_told_and_never_agree(folder, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        found = run(folder, tmp_path / "out", "theirs.pt")
    assert "Round: no such class in cancer_normal" in caplog.text
    assert "has no normal_cell, Other" in caplog.text
    nuclei, _ = tables(found)
    assert set(nuclei.voted_type) == {"Round", "cancer_cell"}
    assert not nuclei.agrees.any()


def test_another_magnification_is_warned_of(folder, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        run(folder, tmp_path / "out", magnification="20")
    assert "trained at 40x, used at 20x" in caplog.text


def test_splits_of_other_patches_are_refused_and_nothing_is_left(folder, tmp_path):
    table = pd.read_parquet(folder / "splits.parquet").iloc[1:]
    write_splits(tmp_path / "splits.parquet", table, {"stage": "test"}, {})
    with pytest.raises(InputError, match=f"expected the patches of slide {SLIDE}"):
        run(folder, tmp_path / "out", frozen=tmp_path / "splits.parquet")
    assert not (tmp_path / "out").exists()


def test_without_a_network_there_is_nothing_to_evaluate(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"evaluate\.checkpoint: expected the file"):
        run(folder, tmp_path / "out", checkpoint=None)
