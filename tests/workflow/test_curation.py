"""A decision goes into a table, reruns only what depends on labels, and comes out in them; a stale one stops the run."""

import json
import re
import shutil

import anndata
import pandas as pd
import pytest

from workflow.clones import clean_clone

pytestmark = pytest.mark.workflow

HEAD = "target\tlabel\twho\twhen\twhy\tonly\n"
WHY = "A. P.\t2026-01-31\tlooks so"
SQUARE = [[[900, 900], [1800, 900], [1800, 1800], [900, 1800], [900, 900]]]
DRAWN = {"geometry": {"type": "Polygon", "coordinates": SQUARE}, "properties": {"name": "nest"}}
LABELS = "results/toy_breast/labels.parquet"


def decide(folder, *lines):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "drawn.geojson").write_text(json.dumps([DRAWN]))
    (folder / "toy_breast.tsv").write_text(HEAD + "".join(f"{line}\n" for line in lines))


def of_cluster(slide, number=0):
    """Return a line on a cluster of the built slide, by its key."""
    evidence = pd.read_parquet(slide / "evidence.parquet")
    return f"{evidence['cluster_key'][number]}\tMast\t{WHY}\t"


OF_REGION = f"region:drawn.geojson#nest\tPlasma\t{WHY}\tEpithelial"


def planned(done):
    """Return rule and slide of every job of a plan."""
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    jobs = re.findall(r"^rule (\w+):\n((?:    .*\n)+)", text, re.M)
    slides = [re.search(r"wildcards: .*?slide=(\w+)", body) for _, body in jobs]
    return {(name, found and found[1]) for (name, _), found in zip(jobs, slides, strict=True)}


@pytest.fixture(scope="module")
def copy(built, tmp_path_factory):
    """A clone that has the tables of one built slide."""
    clone = clean_clone(tmp_path_factory.mktemp("curation"))
    (clone.folder / "resources").symlink_to(built.folder / "resources")
    source, target = built.folder / "results/toy_breast", clone.folder / "results/toy_breast"
    left_out = shutil.ignore_patterns("*.zarr", "masks_*", "*.h5")
    shutil.copytree(source, target, ignore=left_out)
    shutil.copytree(built.folder / ".snakemake/metadata", clone.folder / ".snakemake/metadata")
    return clone


def test_a_decision_reruns_only_refine_and_what_follows_from_labels(built, tmp_path):
    decide(tmp_path, of_cluster(built.folder / "results/toy_breast"), OF_REGION)
    again = built.snakemake("--dry-run", "--config", f"curation={tmp_path}")
    assert planned(again) >= {("refine", "toy_breast"), ("report", "toy_breast"), ("collect", None)}
    assert planned(again) <= {
        *(
            (rule, "toy_breast")
            for rule in ("refine", "rasterise", "assess", "assemble", "outline", "report")
        ),
        *((rule, None) for rule in ("collect", "export", "export_slides", "describe", "all")),
    }


def test_decisions_come_out_in_the_labels_and_a_changed_file_counts_as_a_change(copy):
    curation = copy.folder / "config/curation"
    before = pd.read_parquet(copy.folder / LABELS)
    decide(curation, of_cluster(copy.folder / "results/toy_breast"), OF_REGION)
    done = copy.snakemake(LABELS)
    assert done.returncode == 0, done.stdout + done.stderr
    after = pd.read_parquet(copy.folder / LABELS)
    cluster = before["cluster"] == "0"
    assert (after["label2"][cluster] == "Mast").all()
    others = after[~cluster & (after["decided_by"] == "curation")]
    assert len(others) > 20
    assert (others["label2"] == "Plasma").all()
    assert (before["final_label"][others.index] == "Epithelial").all()
    assert "Nothing to be done" in copy.snakemake("--dry-run", LABELS).stdout

    (curation / "drawn.geojson").write_text(json.dumps([DRAWN, DRAWN]))
    assert planned(copy.snakemake("--dry-run", LABELS)) == {("refine", "toy_breast")}


def test_a_stale_cluster_stops_the_run_with_one_line(copy):
    slide = copy.folder / "results/toy_breast"
    decide(copy.folder / "config/curation", of_cluster(slide))
    table = anndata.read_h5ad(slide / "clusters_cells.h5ad")
    for column in table.obs.columns[table.obs.columns.str.startswith("leiden")]:
        names = table.obs[column].cat.categories
        swapped = table.obs[column].cat.rename_categories({"0": "1", "1": "0"})
        table.obs[column] = swapped.cat.reorder_categories(names)
    table.write_h5ad(slide / "clusters_cells.h5ad")
    assert copy.snakemake(LABELS).returncode == 1
    log = (copy.folder / "logs/toy_breast/refine.log").read_text()
    (line,) = [line for line in log.splitlines() if line.startswith("error: ")]
    assert "config/curation/toy_breast.tsv: line 2: expected cluster 0 as it was" in line
    assert "about 100% of the old one are in cluster 1 now" in line
    assert not (copy.folder / LABELS).exists()


def test_a_file_that_is_not_there_stops_the_run_before_any_work(copy):
    decide(copy.folder / "config/curation", f"region:none.geojson\tMast\t{WHY}\t")
    done = copy.snakemake("--dry-run", LABELS)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "toy_breast.tsv: line 2: expected the file config/curation/none.geojson" in said
    assert "Traceback" not in said


def test_a_table_of_no_slide_is_told(copy, tmp_path):
    (tmp_path / "toy_brest.tsv").write_text(HEAD)
    done = copy.snakemake("--dry-run", LABELS, "--config", f"curation={tmp_path}")
    assert "toy_brest.tsv: decides nothing, as no slide has this name" in done.stdout + done.stderr
