"""Assess: every patch has its metrics or a reason why not, and the slide a scale to read them on."""

import json
import logging

import numpy as np
import pytest

from slides import two_slides
from slides.predicted import write_predictions
from sthelar_build.core.agreement import agreement
from sthelar_build.core.predicted_maps import UNASSIGNED
from sthelar_build.errors import InputError
from sthelar_build.io.masks import open_masks
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.schema.tables import DISPLACEMENT, METRICS
from sthelar_build.settings.assess import AssessSettings
from sthelar_build.stages import assess

NOT_PREDICTED, NO_TISSUE = 20, 21
INCOMPLETE = 13
SHAPE = (4, 14, two_slides.SIDE_PX)


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    """One slide; predicted is what the mask shows, moved by a pixel, for every patch but two."""
    folder = tmp_path_factory.mktemp("assess") / "s"
    files = two_slides.write_slide(folder, "skin_s1")
    masks = open_masks(files.masks.parent)
    outside = {i: "outside" for i in range(masks.n_patches) if i % 14 == INCOMPLETE or i >= 42}
    reasons = {**outside, NOT_PREDICTED: "not_run", NO_TISSUE: "no_tissue"}
    maps = {
        i: np.roll(masks.instances(i), 1, axis=1)
        for i in range(masks.n_patches)
        if i not in reasons
    }
    predictions = write_predictions(folder / "predictions_40x", SHAPE, maps, reasons)
    return files, predictions, masks


def run(slide, out, settings=None, **arguments):
    files, predictions, _ = slide
    assess.run(
        masks=files.masks,
        patches=files.patches,
        predictions=predictions / "manifest.json",
        tissue="Skin",
        metrics=out,
        displacement=out.with_suffix(".displacement"),
        settings=settings or AssessSettings(displaced_patches=4),
        **arguments,
    )
    return read_table(out, METRICS).set_index("patch_id")


def test_patches_with_nuclei_have_the_metrics_of_the_reference(slide, tmp_path):
    table = run(slide, tmp_path / "metrics.parquet")
    assert read_attributes(tmp_path / "metrics.parquet") == {
        "segmented_by": "threshold of the haematoxylin"
    }
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
    assert reasons[NO_TISSUE] == "no_tissue"
    assert reasons[INCOMPLETE] == "outside"
    assert reasons[0] == "no_nucleus"
    assert table.loc[reasons.notna(), ["Dice", "Jaccard", "bPQ"]].isna().all(axis=None)
    assert table.loc[reasons.isna(), ["Dice", "Jaccard", "bPQ"]].notna().all(axis=None)
    assert (table.loc[[NOT_PREDICTED, NO_TISSUE], "n_true"] > 0).all()


@pytest.fixture
def network_slide(slide, tmp_path):
    """One patch: a nucleus of the mask as it is, another without a type, and foreground that is no instance."""
    files, _, masks = slide
    true = masks.instances(3)
    first, second, third = np.unique(true[true > 0])[:3]
    found = np.where(np.isin(true, [first, second]), true, 0).astype(np.uint32)
    found[true == third] = UNASSIGNED
    reasons = {i: "not_run" for i in range(56) if i != 3}
    types = {int(first): 2, int(second): 0}
    folder = tmp_path / "s" / "predictions_40x"
    return (
        files,
        write_predictions(folder, SHAPE, {3: found}, reasons, "cellvit", types),
        masks,
    ), {
        "pixels": np.isin(true, [first, second, third]),
        "counted": np.where(true == first, true, 0),
        "true": true,
    }


def test_pixels_count_as_the_network_saw_them_and_instances_if_they_have_a_type(
    network_slide, tmp_path
):
    slide, found = network_slide
    row = run(slide, tmp_path / "metrics.parquet").loc[3]
    pixels = agreement(found["true"], found["pixels"].astype(int))
    assert (row.Dice, row.Jaccard) == (pixels.dice, pixels.jaccard)
    assert row.bPQ == agreement(found["true"], found["counted"]).bpq
    assert row.n_predicted == 1


@pytest.mark.parametrize("typed", [False, True])
def test_the_original_s_file_is_written_on_request(slide, network_slide, tmp_path, typed):
    chosen = network_slide[0] if typed else slide
    path = tmp_path / "inference_results.json"
    table = run(chosen, tmp_path / "metrics.parquet", inference_results=path)
    record = json.loads(path.read_text())
    scored = table[table["Jaccard"].notna()]
    images = record["image_metrics"]
    assert list(images) == [f"s_{patch_id}.png" for patch_id in scored.index]
    for patch_id, row in scored.iterrows():
        of_patch = images[f"s_{patch_id}.png"]
        assert (of_patch["Dice"], of_patch["Jaccard"], of_patch["bPQ"]) == (
            row.Dice, row.Jaccard, row.bPQ,
        )  # fmt: skip
    assert record["dataset"]["Dice"] == pytest.approx(scored["Dice"].mean())
    assert list(record["tissue_metrics"]) == ["Skin"]
    names = ["Background", "Round", "Flat"] if typed else ["Background", "Nucleus"]
    assert list(record["nuclei_metrics_pq"]) == names


def test_displaced_masks_agree_less_the_farther_they_go(slide, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        run(slide, tmp_path / "metrics.parquet")
    table = read_table(tmp_path / "metrics.displacement", DISPLACEMENT)
    jaccard = table.set_index(["compared_with", "displacement_um"])["Jaccard"]
    assert jaccard["masks"][0] == 1
    assert jaccard["masks"][0] > jaccard["masks"][0.5] > jaccard["masks"][1]
    assert jaccard["predictions"][0] > jaccard["predictions"][0.5] > jaccard["predictions"][1]
    meaning = read_attributes(tmp_path / "metrics.displacement")
    assert meaning["n_patches"] == 4
    # Predicted is the mask, moved by one pixel of 0.25 um.
    assert meaning["worth_um"] == pytest.approx(0.25, abs=0.15)
    assert "mean Jaccard of 4 patches, masks displaced: " in caplog.text
    assert "flawless outlines about 0." in caplog.text


def test_no_patches_to_displace_are_no_curve(slide, tmp_path):
    run(slide, tmp_path / "metrics.parquet", AssessSettings(displaced_patches=0))
    assert read_table(tmp_path / "metrics.displacement", DISPLACEMENT).empty
    assert read_attributes(tmp_path / "metrics.displacement")["worth_um"] is None


def test_the_number_of_processes_changes_nothing(slide, tmp_path, monkeypatch):
    monkeypatch.setattr(assess, "_BATCH", 16)
    run(slide, tmp_path / "one.parquet")
    run(slide, tmp_path / "two.parquet", threads=2)
    for kind in ("parquet", "displacement"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_the_log_says_how_many_were_scored_and_why_not_the_others(slide, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        table = run(slide, tmp_path / "metrics.parquet")
    scored = table["Jaccard"].notna().sum()
    assert f"scored {scored} of 56 patches" in caplog.text
    assert "1 not_run" in caplog.text


def test_one_nucleus_on_every_pixel_has_no_bpq_for_want_of_background(slide, tmp_path):
    files, _, masks = slide
    whole = write_predictions(
        tmp_path / "whole", SHAPE, {i: masks.instances(i) for i in range(56)}, {}
    )
    patch = next(assess.open_compared(files.masks.parent, whole).each_between(3, 4))
    full = np.full((4, 4), 7, np.uint32)
    row = assess._row(type(patch)(3, full, full, patch.nuclei.iloc[:0], knows_types=False), None)
    assert row["bPQ"] is None
    assert row["Dice"] == 1
    assert row["reason"] == "no_background"


def test_predictions_of_another_grid_are_refused_and_nothing_is_left(slide, tmp_path):
    other = write_predictions(tmp_path / "other", (1, 2, 64), {}, {0: "not_run", 1: "not_run"})
    with pytest.raises(InputError, match="expected 56 patches of 32 x 32 px"):
        run((slide[0], other, slide[2]), tmp_path / "metrics.parquet")
    assert not (tmp_path / "metrics.parquet").exists()
