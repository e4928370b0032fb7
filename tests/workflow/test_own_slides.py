"""Slides of a user: files anywhere, names with spaces, every column of the sheets in use; the workflow as a module."""

import re
import shutil
from pathlib import Path

import geopandas
import h5py
import pytest
import yaml

from slides.drawn_nuclei import outlines_of, write_geojson
from workflow.clones import clean_clone

pytestmark = pytest.mark.workflow

CLUSTERS = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text()
OWN = "slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\tpredictions\tnuclei\n"
ATLASES = "reference\tpath\tlabel_key\tlayer\tlabel_map\n"


@pytest.fixture
def own(tmp_path):
    """A clone whose sheets name one slide, outside of it, by files that are still empty."""
    raw = tmp_path / "raw data"
    (raw / "xenium run 1").mkdir(parents=True)
    for name in (
        "xenium run 1/experiment.xenium",
        "he slide.ome.tif",
        "found at 40x.h5",
        "found at 20x.h5",
        "my atlas.h5ad",
        "my labels.tsv",
        "my nuclei.geojson",
    ):
        (raw / name).touch()
    clone = clean_clone(tmp_path / "clone")
    columns = ["own", "patient 1", "Lymph node", "normal", raw / "xenium run 1"]
    columns += [raw / "he slide.ome.tif", "identity", "my_atlas", raw / "found at {scale}.h5"]
    columns += [raw / "my nuclei.geojson"]
    row = "\t".join(map(str, columns))
    (clone.folder / "config/slides.tsv").write_text(f"{OWN}{row}\n")
    row = f"my_atlas\t{raw / 'my atlas.h5ad'}\tcell type\t\t{raw / 'my labels.tsv'}"
    (clone.folder / "config/references.tsv").write_text(f"{ATLASES}{row}\n")
    (clone.folder / "config/curation").mkdir(exist_ok=True)
    (clone.folder / "config/curation/own.tsv").touch()
    return clone


def test_every_column_reaches_the_commands_that_use_it(own):
    done = own.snakemake("--dry-run", "--printshellcmds")
    plan = done.stdout + done.stderr
    assert done.returncode == 0, plan
    assert "rule simulate:" not in plan
    raw = own.folder.parent / "raw data"
    for words in (
        f"--xenium '{raw}/xenium run 1'",
        f"--he '{raw}/he slide.ome.tif'",
        "--alignment identity",
        f"--reference '{raw}/my atlas.h5ad'",
        "--label-key 'cell type'",
        '--layer ""',
        f"--label-map '{raw}/my labels.tsv'",
        f"--predictions '{raw}/found at 40x.h5' --predictions '{raw}/found at 20x.h5'",
        f"--supplied '{raw}/found at 20x.h5'",
        f"--nuclei '{raw}/my nuclei.geojson'",
        "--resegmented results/own/resegmented.parquet",
        "--tissue 'Lymph node'",
        "--curation config/curation/own.tsv",
    ):
        assert words in plan


def test_one_file_of_predictions_for_two_scales_is_refused(own):
    sheet = own.folder / "config/slides.tsv"
    sheet.write_text(sheet.read_text().replace("found at {scale}", "found at 40x"))
    done = own.snakemake("--dry-run")
    assert done.returncode == 1
    assert "expected {scale} in the path of the predictions" in done.stdout + done.stderr


def test_nuclei_and_predictions_from_a_folder_with_spaces_take_the_place_of_those_made_here(
    own, built
):
    raw = own.folder.parent / "raw data"
    toy = built.folder / "resources/toy/toy_breast"
    shutil.copytree(toy / "xenium", raw / "xenium run 1", dirs_exist_ok=True)
    shutil.copy(toy / "he_image.ome.tif", raw / "he slide.ome.tif")
    shutil.copy(toy / "alignment_matrix.csv", raw / "my matrix.csv")
    shutil.copy(toy / "reference.h5ad", raw / "my atlas.h5ad")
    (raw / "my labels.tsv").write_text("label\tclass\nFibroblast\tFibroblast_Myofibroblast\n")
    for scale in ("40x", "20x"):
        made = built.folder / f"results/toy_breast/instance_map_predictions_{scale}.h5"
        shutil.copy(made, raw / f"found at {scale}.h5")
    drawn = outlines_of(built.folder / "results/toy_breast/nuclei.parquet")
    write_geojson(raw / "my nuclei.geojson", drawn, um_per_unit=0.2125)
    sheet = own.folder / "config/slides.tsv"
    sheet.write_text(sheet.read_text().replace("identity", str(raw / "my matrix.csv")))
    atlases = own.folder / "config/references.tsv"
    atlases.write_text(atlases.read_text().replace("cell type", "cell_type"))
    found = "results/own/instance_map_predictions_40x.h5"

    done = own.snakemake(found)

    assert done.returncode == 0, done.stdout + done.stderr
    with h5py.File(own.folder / found) as ours, h5py.File(raw / "found at 40x.h5") as theirs:
        assert ours.attrs["method"] == "supplied"
        assert set(ours) == set(theirs)
    used = geopandas.read_parquet(own.folder / "results/own/nuclei.parquet")
    assert len(used) == len(drawn)
    assert used["raster_label"].isna().all()


def example(language):
    """Return the example in a language from what docs/cluster.md says of modules."""
    section = CLUSTERS.split("\n## As a module")[1].split("\n## ")[0]
    [found] = re.findall(rf"```{language}\n(.*?)```", section, flags=re.DOTALL)
    return found


def test_another_workflow_can_use_it_as_a_module(clone, tmp_path):
    shutil.copytree(clone.folder / "config", tmp_path / "config")
    recipes = yaml.safe_load((tmp_path / "config/config.yaml").read_text())["simulate"]
    theirs = yaml.safe_load(example("yaml"))
    theirs["sthelar"]["simulate"] = recipes
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(theirs))
    ours = repr(str(clone.folder / "Snakefile"))
    text, n = re.subn(r"github\(.*\)", lambda _: ours, example("python"))
    assert n == 1
    (tmp_path / "Snakefile").write_text(text)
    here = ("--snakefile", str(tmp_path / "Snakefile"), "--directory", str(tmp_path))
    words = ("--set-threads", "sthelar_rasterise=1", "--cores", "9")
    done = clone.snakemake("--dry-run", *here, *words, "sthelar_all")
    plan = done.stdout + done.stderr
    assert done.returncode == 0, plan
    assert "rule sthelar_assemble:" in plan
    assert "results/dataset/40x/facts.json" in plan
    # Nine cores for the masks of three slides would be three each.
    masks = re.findall(r"rule sthelar_rasterise:\n(?:    .*\n)*", plan)
    assert ["threads: " in job for job in masks] == [False] * 3
    assert not (tmp_path / "results").exists()

    done = clone.snakemake("results/toy_auto/preflight.json", *here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "results/toy_auto/preflight.json").exists()
    assert not (clone.folder / "results").exists()
