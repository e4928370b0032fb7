"""Collect on two tiny slides: tables agree with the masks, splits are clean, the facts are true."""

import json
import logging
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest

from slides import two_slides
from sthelar_build.core.frozen_splits import content_hash
from sthelar_build.core.split_plan import SplitRule
from sthelar_build.errors import InputError
from sthelar_build.io import chosen_splits, patch_stream
from sthelar_build.io.splits import read_splits, write_splits
from sthelar_build.io.tables import read_table
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.schema.tables import SPLITS
from sthelar_build.settings.collect import CollectSettings
from sthelar_build.stages import collect


def run(folder, out, *, verdicts=None, **settings):
    slides = [
        two_slides.write_slide(folder / name, name, verdict=(verdicts or {}).get(name, "pass"))
        for name in two_slides.SLIDES
        if not (folder / name).exists()
    ] or [two_slides.files_of(folder / name, name) for name in two_slides.SLIDES]
    two_slides.write_sheet(folder / "slides.tsv")
    collect.run(
        scale="40x",
        slides_sheet=folder / "slides.tsv",
        slide=[one.slide for one in slides],
        patches=[one.patches for one in slides],
        masks=[one.masks for one in slides],
        metrics=[one.metrics for one in slides],
        labels=[folder / one.slide / "labels.parquet" for one in slides],
        counts_cells=[folder / one.slide / "counts_cells.h5ad" for one in slides],
        transform=[folder / one.slide / "transform.json" for one in slides],
        out=out,
        settings=CollectSettings(**settings),
    )


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collect")
    run(folder, folder / "out", guard_px=8)
    return folder


def test_every_patch_has_a_split_or_a_reason(collected):
    splits = read_table(collected / "out" / "splits.parquet", SPLITS)
    assert len(splits) == 2 * 14 * 4
    assert (splits["split"].isna() == splits["reason"].notna()).all()
    assert set(splits["reason"].dropna()) == {"guard", "no_nucleus", "outside"}
    assert set(splits["split"].dropna()) == {"train", "valid", "test"}
    assert splits["slide"].tolist() == sorted(splits["slide"])


def test_bands_leave_no_pixel_and_no_nucleus_to_two_splits(collected):
    splits = read_table(collected / "out" / "splits.parquet", SPLITS).dropna(subset="split")
    for slide, rows in splits.groupby("slide"):
        nuclei = two_slides.slide_map(slide)
        seen = {}
        for row in rows.itertuples():
            y, x = divmod(row.patch_id, 14)
            window = nuclei[y * 24 : y * 24 + 32, x * 24 : x * 24 + 32]
            seen.setdefault(row.split, [set(), set()])
            seen[row.split][0] |= {
                (i, j) for i in range(y * 24, y * 24 + 32) for j in range(x * 24, x * 24 + 32)
            }
            seen[row.split][1] |= set(window[window > 0].tolist())
        (one, two, three) = seen.values()
        for a, b in ((one, two), (one, three), (two, three)):
            assert not a[0] & b[0]
            assert not a[1] & b[1]


def test_the_csv_tables_have_the_published_columns_and_count_the_masks(collected):
    out = collected / "out"
    metrics = pd.read_csv(out / "patch_metrics.csv")
    assert ",".join(metrics.columns) == "slide_id,patch_id,xmin,ymin,xmax,ymax,Dice,Jaccard,bPQ"
    counts = pd.read_csv(out / "cell_count.csv")
    types = pd.read_csv(out / "types.csv")
    assert ["Image", *PATCH_CLASS_NAMES] == list(counts.columns)
    assert metrics["patch_id"].tolist() == counts["Image"].tolist() == types["img"].tolist()
    row = metrics.set_index("patch_id").loc["skin_s1_16.png"]
    window = two_slides.slide_map("skin_s1")[row.ymin : row.ymax, row.xmin : row.xmax]
    assert window.shape == (32, 32)
    drawn = set(window[window > 0].tolist())
    assert counts.set_index("Image").loc["skin_s1_16.png"].sum() == len(drawn)
    assert (counts[list(PATCH_CLASS_NAMES)].sum(axis=1) > 0).all()
    assert types.set_index("img").loc["skin_s1_16.png", "type"] == "Skin"


def test_a_missing_metric_is_an_empty_cell(tmp_path):
    folder = tmp_path / "slides"
    files = two_slides.write_slide(folder / "skin_s1", "skin_s1")
    two_slides.write_slide(folder / "breast_s0", "breast_s0")
    table = pq.read_table(files.metrics)
    nulls = pd.Series([None] * len(table), dtype="float64")
    table = table.set_column(3, table.schema.field("bPQ"), [nulls.to_list()])
    pq.write_table(table, files.metrics)
    run(folder, tmp_path / "out")
    text = (tmp_path / "out" / "patch_metrics.csv").read_text()
    lines = [line for line in text.splitlines() if line.startswith("skin_s1")]
    assert lines
    assert all(line.endswith(",") for line in lines)
    assert "-1" not in text


def test_the_facts_hold_slides_classes_splits_and_audit(collected):
    facts = json.loads((collected / "out" / "facts.json").read_text())
    splits, attributes = read_splits(collected / "out" / "splits.parquet")
    assert facts["split"]["sha256"] == attributes["sha256"] == content_hash(splits)
    assert facts["split"]["strategy"] == "space"
    assert not facts["split"]["frozen"]
    assert facts["split"]["audit"]["shared_nuclei"] == facts["split"]["audit"]["shared_pixels"] == 0
    assert [slide["name"] for slide in facts["slides"]] == ["breast_s0", "skin_s1"]
    assert facts["slides"][0]["median_blur_um"] == pytest.approx(0.6)
    drawn = {c["name"]: sum(c["splits"].values()) for c in facts["classes"]}
    assert [c["name"] for c in facts["classes"] if c["rarest"]] == [
        min((name for name in drawn if drawn[name]), key=drawn.get)
    ]
    assert facts["provenance"]["stage"] == "collect"


def test_two_slides_are_shown_side_by_side_and_not_judged(collected):
    table = pd.read_csv(collected / "out" / "class_consistency.csv")
    assert table["slide"].unique().tolist() == ["breast_s0", "skin_s1"]
    assert table.groupby("slide")["share"].sum().tolist() == pytest.approx([1, 1])
    assert table["flag"].isna().all()
    means = pd.read_csv(collected / "out" / "marker_means.csv")
    assert set(means["gene"]) == {"CD3E", "EPCAM", "KRT8"}
    facts = json.loads((collected / "out" / "facts.json").read_text())
    assert "2 slides are too few to judge" in facts["consistency"]["unjudged"]


def test_fine_labels_of_two_classes_are_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        run(tmp_path, tmp_path / "out")
    # All cells of the two slides are called b, whatever their class.
    assert (
        "b is one fine label but several classes (Epithelial on breast_s0, skin_s1; " in caplog.text
    )
    facts = json.loads((tmp_path / "out" / "facts.json").read_text())
    assert "b is one fine label but several classes" in facts["consistency"]["conflicts"][0]


def test_counts_of_other_cells_are_refused(tmp_path):
    run(tmp_path, tmp_path / "out")
    path = tmp_path / "skin_s1" / "labels.parquet"
    pq.write_table(pq.read_table(path).slice(0, 50), path)
    with pytest.raises(
        InputError, match="expected the 50 cells of the labels, found 100, of which 50"
    ):
        run(tmp_path, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_the_same_work_gives_the_same_bytes(collected, tmp_path):
    run(collected, tmp_path / "out", guard_px=8)
    for path in sorted((tmp_path / "out").iterdir()):
        assert path.read_bytes() == (collected / "out" / path.name).read_bytes()


def test_a_slide_whose_registration_failed_is_in_no_split_and_in_no_table(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        run(tmp_path, tmp_path / "out", verdicts={"skin_s1": "fail"})
    splits = read_table(tmp_path / "out" / "splits.parquet", SPLITS)
    skin = splits[splits["slide"] == "skin_s1"]
    assert skin["split"].isna().all()
    assert "registration" in set(skin["reason"])
    assert "skin_s1" not in (tmp_path / "out" / "types.csv").read_text()
    assert "left out, its registration is judged fail" in caplog.text


def test_whole_slides_can_be_kept_apart_and_random_splits_say_that_they_leak(
    collected, tmp_path, caplog
):
    run(collected, tmp_path / "slide", strategy="slide")
    splits = read_table(tmp_path / "slide" / "splits.parquet", SPLITS).dropna(subset="split")
    assert (splits.groupby("slide")["split"].nunique() == 1).all()
    assert "test is empty" in caplog.text or "valid is empty" in caplog.text
    run(collected, tmp_path / "random", strategy="random_leaky")
    assert "share pixels" in caplog.text
    audit = json.loads((tmp_path / "random" / "facts.json").read_text())["split"]["audit"]
    assert audit["shared_nuclei"] > 0
    assert f"shared between splits: shared_pixels {audit['shared_pixels']}" in caplog.text


def test_shares_that_do_not_sum_to_one_are_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        CollectSettings(shares=(0.5, 0.2, 0.2))


def test_slides_of_different_patch_sizes_are_refused(tmp_path, monkeypatch):
    sizes = iter([32, 64])
    monkeypatch.setattr(patch_stream, "patch_geometry", lambda _: (next(sizes), 0.25))
    with pytest.raises(InputError, match="one size"):
        run(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_frozen_splits_are_used_again_whatever_the_settings_of_splits(collected, tmp_path, caplog):
    frozen = tmp_path / "frozen_40x.parquet"
    shutil.copy(collected / "out" / "splits.parquet", frozen)
    path = tmp_path / "frozen_{scale}.parquet"
    with caplog.at_level(logging.INFO):
        run(collected, tmp_path / "out", frozen_splits=path, strategy="random_leaky", seed=7)
    first, _ = read_splits(frozen)
    second, _ = read_splits(tmp_path / "out" / "splits.parquet")
    assert first.equals(second)
    facts = json.loads((tmp_path / "out" / "facts.json").read_text())
    assert facts["split"]["frozen"]
    assert facts["split"]["strategy"] == "space"
    assert "patches keep their split; 0 are in none now" in caplog.text


def test_frozen_splits_of_other_slides_are_refused_in_one_line(collected, tmp_path):
    splits, facts = read_splits(collected / "out" / "splits.parquet")
    write_splits(tmp_path / "s.parquet", splits[splits["slide"] == "skin_s1"], {}, facts)
    with pytest.raises(InputError, match="found 0 of slide breast_s0 instead of 56") as error:
        run(collected, tmp_path / "out", frozen_splits=tmp_path / "s.parquet")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_frozen_splits_that_leak_here_are_refused(collected, tmp_path):
    splits, facts = read_splits(collected / "out" / "splits.parquet")
    one = splits.index[splits["split"] == "train"][0]
    splits.loc[one, "split"] = "test"
    write_splits(tmp_path / "s.parquet", splits, {}, facts)
    with pytest.raises(InputError, match="keep apart what these masks show, found shared_pixels"):
        run(collected, tmp_path / "out", frozen_splits=tmp_path / "s.parquet")
    assert not (tmp_path / "out" / "splits.parquet").exists()


def test_a_guard_that_is_one_pixel_too_small_fails_the_run(collected, tmp_path, monkeypatch):
    # Patches of 32 px every 24: from -8 px on, neighbouring columns overlap; from -7 on they do not.
    def with_guard(guard_px):
        class Rule(SplitRule):
            def __init__(self, strategy, shares, _, seed):
                super().__init__(strategy, shares, guard_px, seed)

        monkeypatch.setattr(chosen_splits, "SplitRule", Rule)

    with_guard(-7)
    run(collected, tmp_path / "right")
    with_guard(-8)
    with pytest.raises(RuntimeError, match="the splits by space leak: shared_pixels"):
        run(collected, tmp_path / "wrong")
    assert list((tmp_path / "wrong").iterdir()) == []
