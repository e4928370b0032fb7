"""Export: a checked folder with its manifest, or nothing."""

import hashlib
import json
import logging

import numpy as np
import pandas as pd
import pytest

from slides import two_slides
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.splits import read_splits, write_splits
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import SPLITS
from sthelar_build.settings.export import ExportSettings
from sthelar_build.stages import export


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    for slide in two_slides.SLIDES:
        two_slides.write_slide(folder / slide, slide)
    two_slides.write_sheet(folder / "slides.tsv")
    two_slides.write_splits(folder / "splits.parquet", folder)
    return folder


def run(folder, out, format="cellvit", splits=None, threads=1, **settings):
    files = [two_slides.files_of(folder / slide, slide) for slide in two_slides.SLIDES]
    export.run(
        format=format,
        scale="40x",
        slides_sheet=folder / "slides.tsv",
        slide=[one.slide for one in files],
        he=[one.he for one in files],
        transform=[folder / one.slide / "transform.json" for one in files],
        nuclei=[one.nuclei for one in files],
        cells=[one.cells for one in files],
        labels=[one.labels for one in files],
        patches=[one.patches for one in files],
        masks=[one.masks for one in files],
        metrics=[one.metrics for one in files],
        splits=splits or folder / "splits.parquet",
        out=out,
        settings=ExportSettings(**settings),
        threads=threads,
    )
    return json.loads((out / "manifest.json").read_text())


@pytest.mark.parametrize("format", export.EXPORTERS)
def test_every_format_is_written_checked_and_declared_by_its_manifest(slides, tmp_path, format):
    manifest = run(slides, tmp_path / "out", format, threads=2)
    files = {
        path.relative_to(tmp_path / "out").as_posix(): path
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert set(manifest["files"]) == set(files)
    for name, facts in manifest["files"].items():
        content = files[name].read_bytes()
        assert facts["bytes"] == len(content)
        assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    kept = [slide["patches"]["kept"] for slide in manifest["slides"].values()]
    assert manifest["n_patches"] == sum(kept) > 0
    assert manifest["n_patches_total"] == 2 * 14 * 4
    assert manifest["provenance"]["stage"] == "export"


@pytest.mark.parametrize("format", ["cellvit", "cellvit_plus", "sthelar", "pannuke", "huggingface"])
def test_a_second_export_is_equal_byte_for_byte_whatever_the_threads(slides, tmp_path, format):
    one = run(slides, tmp_path / "one", format)
    two = run(slides, tmp_path / "two", format, threads=3)
    assert one["files"] == two["files"]


def test_patches_are_kept_by_their_nuclei_and_their_jaccard(slides, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        manifest = run(slides, tmp_path / "out", min_nuclei=3, jaccard=(0.7, 1.0))
    counts = manifest["slides"]["skin_s1"]["patches"]
    assert set(counts) == {"few_nuclei", "jaccard", "kept", "outside"}
    assert sum(counts.values()) == 14 * 4
    assert f"skin_s1: kept {counts['kept']} of 56 patches" in caplog.text
    cells = pd.read_csv(tmp_path / "out" / "cell_count.csv").drop(columns="Image")
    assert len(cells) == manifest["n_patches"]
    assert (cells.sum(axis=1) >= 3).all()


def test_a_slide_that_collect_left_out_is_not_exported(slides, tmp_path):
    table, facts = read_splits(slides / "splits.parquet")
    gone = table["slide"] == "skin_s1"
    table.loc[gone, "split"] = None
    table.loc[gone, "reason"] = "registration"
    write_splits(tmp_path / "splits.parquet", table, {}, facts)
    manifest = run(slides, tmp_path / "out", splits=tmp_path / "splits.parquet")
    assert "kept" not in manifest["slides"]["skin_s1"]["patches"]
    assert set(pd.read_csv(tmp_path / "out" / "types.csv")["type"]) == {"Breast"}


def test_no_patch_left_is_an_error_in_one_line_and_leaves_nothing(slides, tmp_path):
    with pytest.raises(InputError, match=r"none left of 112") as error:
        run(slides, tmp_path / "out", min_nuclei=999)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused_with_the_known_ones(slides, tmp_path):
    with pytest.raises(ConfigError, match="pannuke, sthelar, cellvit, cellvit_plus, huggingface"):
        run(slides, tmp_path / "out", "coco")


def test_a_failed_check_publishes_nothing(slides, tmp_path, monkeypatch):
    def refuse(folder):
        raise InputError(f"{folder}: wrong")

    monkeypatch.setattr(export.EXPORTERS["cellvit"], "validate", refuse)
    with pytest.raises(InputError, match="wrong"):
        run(slides, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_order_of_the_slides_does_not_matter(slides, tmp_path):
    one = run(slides, tmp_path / "one", "pannuke")
    with np.load(tmp_path / "one" / "skin_s1.npz") as arrays:
        assert all(name.startswith("skin_s1_") for name in arrays["patch_ids"])
    assert list(one["slides"]) == ["breast_s0", "skin_s1"]


def test_every_limit_leaves_patches_out_and_the_manifest_says_how_many(slides, tmp_path):
    # Every other patch has Dice 0.46 and bPQ 0.15, the others 0.89 and 0.4; all have 0.5 tissue and a blur of 0.6 um.
    limits = {"min_tissue": 0.5, "max_blur_um": 0.61}
    for key, interval in (("dice", (0.5, 1.0)), ("bpq", (0.2, 0.4))):
        manifest = run(slides, tmp_path / key, **limits, **{key: interval})
        counts = manifest["slides"]["skin_s1"]["patches"]
        assert set(counts) == {"few_nuclei", key, "kept", "outside"}
        assert sum(counts.values()) == 14 * 4
    with pytest.raises(InputError, match="none left"):
        run(slides, tmp_path / "none", max_blur_um=0.5)
    with pytest.raises(InputError, match="none left"):
        run(slides, tmp_path / "none", min_tissue=0.51)


def test_an_interval_from_high_to_low_is_refused():
    with pytest.raises(ValueError, match="smaller end"):
        ExportSettings(jaccard=(0.9, 0.4))


def test_splits_that_were_changed_are_refused_before_anything_is_written(slides, tmp_path):
    table, facts = read_splits(slides / "splits.parquet")
    table.loc[table["split"] == "test", "split"] = "train"
    write_table(tmp_path / "splits.parquet", table, SPLITS, {}, facts)
    with pytest.raises(InputError, match="changed after they were frozen"):
        run(slides, tmp_path / "out", splits=tmp_path / "splits.parquet")
    assert not (tmp_path / "out").exists()


def test_splits_of_other_patches_are_refused(slides, tmp_path):
    table, facts = read_splits(slides / "splits.parquet")
    write_splits(tmp_path / "splits.parquet", table.iloc[:-3], {}, facts)
    with pytest.raises(InputError, match=r"found 53 of slide [a-z_0-9]* instead of 56"):
        run(slides, tmp_path / "out", splits=tmp_path / "splits.parquet")


def test_the_manifest_names_the_splits_by_their_hash(slides, tmp_path):
    manifest = run(slides, tmp_path / "out")
    _, facts = read_splits(slides / "splits.parquet")
    assert manifest["splits"] == {"strategy": "space", "sha256": facts["sha256"]}
