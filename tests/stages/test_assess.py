"""Assess: every patch has its metrics or a reason why not."""

import logging

import numpy as np
import pytest

from slides import two_slides
from sthelar_build.config import AssessSettings
from sthelar_build.core.agreement import agreement
from sthelar_build.errors import InputError
from sthelar_build.io.instance_maps import (
    SparseMap,
    instance_map_writer,
    open_instance_maps,
)
from sthelar_build.io.masks import open_masks
from sthelar_build.io.tables import read_table
from sthelar_build.schema.tables import METRICS
from sthelar_build.stages import assess

SETTINGS = AssessSettings()
NOT_PREDICTED = 20
INCOMPLETE = 13


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    """One slide; predicted is what the mask shows, moved by a pixel, for every patch but one."""
    folder = tmp_path_factory.mktemp("assess") / "s"
    files = two_slides.write_slide(folder, "skin_s1")
    masks = open_masks(files.masks.parent)
    with instance_map_writer(folder / "maps.h5", {}, "test") as writer:
        for patch_id in range(masks.n_patches):
            if patch_id != NOT_PREDICTED and patch_id % 14 != INCOMPLETE:
                moved = np.roll(masks.instances(patch_id).astype(np.int32), 1, axis=1)
                writer.write(patch_id, SparseMap.of(moved))
    return files, folder / "maps.h5", masks


def run(slide, out, **arguments):
    files, predictions, _ = slide
    assess.run(
        masks=files.masks,
        patches=files.patches,
        predictions=predictions,
        metrics=out,
        settings=SETTINGS,
        **arguments,
    )
    return read_table(out, METRICS).set_index("patch_id")


def test_patches_with_nuclei_have_the_metrics_of_the_reference(slide, tmp_path):
    table = run(slide, tmp_path / "metrics.parquet")
    masks = slide[2]
    scored = table[table["reason"].isna()]
    assert len(scored) > 20
    for patch_id, row in scored.iterrows():
        true = masks.instances(patch_id)
        expected = agreement(true, np.roll(true, 1, axis=1))
        assert (row.Dice, row.Jaccard, row.bPQ) == (expected.dice, expected.jaccard, expected.bpq)
        assert (row.n_true, row.n_predicted) == (expected.n_true, expected.n_predicted)


def test_a_missing_metric_is_null_and_says_why(slide, tmp_path):
    table = run(slide, tmp_path / "metrics.parquet")
    assert len(table) == 14 * 4
    reasons = table["reason"]
    assert reasons[NOT_PREDICTED] == "not_run"
    assert reasons[INCOMPLETE] == "outside"
    assert reasons[0] == "no_nucleus"
    assert table.loc[reasons.notna(), ["Dice", "Jaccard", "bPQ"]].isna().all(axis=None)
    assert table.loc[reasons.isna(), ["Dice", "Jaccard", "bPQ"]].notna().all(axis=None)
    assert table.loc[NOT_PREDICTED, "n_true"] > 0


def test_the_number_of_processes_changes_nothing(slide, tmp_path, monkeypatch):
    monkeypatch.setattr(assess, "_BATCH", 16)
    run(slide, tmp_path / "one.parquet")
    run(slide, tmp_path / "two.parquet", threads=2)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_the_predictions_are_opened_a_few_times_however_many_the_patches(
    slide, tmp_path, monkeypatch
):
    opened = []

    def counted(path):
        opened.append(path)
        return open_instance_maps(path)

    monkeypatch.setattr(assess, "_BATCH", 1)
    monkeypatch.setattr(assess, "open_instance_maps", counted)
    assert len(run(slide, tmp_path / "metrics.parquet")) == 56
    assert len(opened) <= 8


def test_the_log_says_how_many_were_scored_and_why_not_the_others(slide, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        table = run(slide, tmp_path / "metrics.parquet")
    scored = table["Jaccard"].notna().sum()
    assert f"scored {scored} of 56 patches" in caplog.text
    assert "1 not_run" in caplog.text


def test_one_nucleus_on_every_pixel_has_no_bpq_for_want_of_background():
    row = assess._row(3, np.full((4, 4), 7, np.uint32), np.full((4, 4), 1))
    assert row["bPQ"] is None
    assert row["Dice"] == 1
    assert row["reason"] == "no_background"


def test_maps_of_another_size_are_refused_and_nothing_is_left(slide, tmp_path):
    with instance_map_writer(tmp_path / "maps.h5", {}, "test") as writer:
        writer.write(1, SparseMap.of(np.zeros((64, 64), np.int32)))
    with pytest.raises(InputError, match="32 x 32 px"):
        run((slide[0], tmp_path / "maps.h5", slide[2]), tmp_path / "metrics.parquet")
    assert not (tmp_path / "metrics.parquet").exists()
