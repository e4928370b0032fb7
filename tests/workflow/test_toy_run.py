"""Snakemake end to end: a clean clone plans, builds everything, and then has nothing to do."""

import json
from collections import Counter

import datasets
import mlcroissant
import numpy as np
import pandas as pd
import pytest
import spatialdata

pytestmark = pytest.mark.workflow

SLIDES = ("toy_breast", "toy_skin", "toy_auto")
SCALES = ("40x", "20x")


def said(done):
    return done.stdout + done.stderr


def test_a_clean_clone_plans_every_stage(clone):
    plan = clone.snakemake("--dry-run")
    assert plan.returncode == 0, said(plan)
    for rule in ("simulate", "refine", "assemble", "report", "collect", "export", "describe"):
        assert f"rule {rule}:" in said(plan)
    assert not (clone.folder / "results").exists()


def test_a_mistake_in_the_configuration_is_one_line(clone):
    done = clone.snakemake("--dry-run", "--config", "tile={'side_pxx': 256}")
    assert done.returncode == 1
    assert "tile.side_pxx: there is no such key; did you mean side_px?" in said(done)
    assert "Traceback" not in said(done)


def test_a_second_run_has_nothing_to_do(built):
    again = built.snakemake("--dry-run")
    assert again.returncode == 0
    assert "Nothing to be done" in said(again)


def test_one_changed_number_reruns_only_what_depends_on_it(built):
    plan = said(built.snakemake("--dry-run", "--config", "rasterise={'min_visible_px': 3}"))
    assert "rule rasterise:" in plan
    assert "rule assess:" in plan
    for rule in ("simulate", "ingest", "annotate", "refine", "tile", "segment"):
        assert f"rule {rule}:" not in plan


def test_no_scratch_is_left_behind(built):
    hidden = [p for p in (built.folder / "results").rglob(".*") if p.name != ".snakemake_timestamp"]
    assert hidden == []


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
# It leaves the images that it reads to be closed by the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("scale", SCALES)
def test_the_library_of_croissant_reads_tables_and_images(built, scale):
    folder = built.folder / f"results/dataset/{scale}"
    dataset = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert not dataset.metadata.issues.errors
    row = next(iter(dataset.records("patch_metrics")))
    expected = pd.read_csv(folder / "patch_metrics.csv").iloc[0]
    assert row["patch_metrics/patch_id"].decode() == expected["patch_id"]
    assert row["patch_metrics/Dice"] == pytest.approx(expected["Dice"])
    assert next(iter(dataset.records("images")))["images/image"].size == (256, 256)


@pytest.mark.parametrize("slide", SLIDES)
def test_the_zarr_reads_and_joins(built, slide):
    sdata = spatialdata.read_zarr(built.folder / f"results/{slide}/sdata_{slide}.zarr")
    assert {"he", "morpho"} <= set(sdata.images)
    assert {"table_cells", "table_nuclei", "table_combined"} <= set(sdata.tables)
    assert set(sdata.coordinate_systems) >= {"global", "he", "um"}
    labels = pd.read_parquet(built.folder / f"results/{slide}/labels.parquet").set_index("cell_id")
    cells = sdata["table_cells"].obs.set_index("cell_id")
    assert (cells.final_label.astype(str) == labels.final_label.loc[cells.index]).all()


@pytest.mark.parametrize("scale", SCALES)
def test_every_format_holds_the_same_patches_and_nuclei(built, scale, tmp_path):
    folder = built.folder / f"results/dataset/{scale}"
    counts = pd.read_csv(folder / "cellvit/cell_count.csv").set_index("Image").sort_index()
    shards = [str(path) for path in sorted((folder / "huggingface/data").glob("*.parquet"))]
    rows = datasets.load_dataset(
        "parquet", data_files=shards, split="train", cache_dir=str(tmp_path)
    )
    assert sorted(rows["file_name"]) == list(counts.index)
    of_row = {
        row["file_name"]: row["cell_counts"]
        for row in rows.select_columns(["file_name", "cell_counts"])
    }
    assert [of_row[name] for name in counts.index] == counts.to_numpy().tolist()
    pannuke = Counter()
    for slide in SLIDES:
        with np.load(folder / f"pannuke/{slide}.npz") as arrays:
            masks = arrays["masks"]
            for name, mask in zip(arrays["patch_ids"], masks, strict=True):
                pannuke[f"{name}.png"] = [len(np.unique(mask[..., c])) - 1 for c in range(9)]
    assert [pannuke[name] for name in counts.index] == counts.to_numpy().tolist()


@pytest.mark.parametrize(
    ("slide", "verdict", "reason"),
    [
        ("toy_breast", "pass", ""),
        ("toy_skin", "warn", "1 keypoints disagree"),
        ("toy_auto", "pass", ""),
    ],
)
def test_the_registration_is_measured_and_its_outlier_named(built, slide, verdict, reason):
    transform = json.loads((built.folder / f"results/{slide}/transform.json").read_text())
    truth = json.loads((built.folder / f"resources/toy/{slide}/truth/truth.json").read_text())
    assert (transform["verdict"], transform["median_um"] < 1) == (verdict, True)
    assert " ".join(transform["reasons"]).startswith(reason)
    assert transform["he_um_per_px"] == pytest.approx(truth["he_um_per_px"], rel=0.005)
