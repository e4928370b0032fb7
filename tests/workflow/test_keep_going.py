"""A slide that cannot be used does not hold up the others."""

import shutil

import pytest

pytestmark = pytest.mark.workflow

GOOD, BAD = "toy_breast", "toy_skin"
TARGETS = [f"results/{slide}/bundle.json" for slide in (GOOD, BAD)]


@pytest.fixture(scope="module")
def two(built, clone):
    """A clone that has the raw files of two slides; the transcripts of one were cut short on their way."""
    header = (clone.folder / "config/slides.tsv").read_text().splitlines()[0]
    rows = [
        f"{slide}\t{slide}\tBreast\tcancer\traw/{slide}/xenium\traw/{slide}/he_image.ome.tif\tauto\ttoy\t"
        for slide in (GOOD, BAD)
    ]
    folder = clone.folder.parent / "two"
    shutil.copytree(clone.folder, folder)
    for slide in (GOOD, BAD):
        shutil.copytree(built.folder / "resources/toy" / slide, folder / "raw" / slide)
    (folder / "config/two.tsv").write_text("\n".join([header, *rows]) + "\n")
    shutil.copy(folder / "raw" / GOOD / "reference.h5ad", folder / "raw/atlas.h5ad")
    (folder / "config/two_atlases.tsv").write_text(
        "reference\tpath\tlabel_key\tlayer\tlabel_map\ntoy\traw/atlas.h5ad\tcell_type\t\t\n"
    )
    damaged = folder / "raw" / BAD / "xenium/transcripts.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    return type(clone)(folder)


def test_the_others_are_finished_and_the_reason_stands_in_the_log(two):
    done = two.snakemake(
        *TARGETS, "--keep-going", "--config", "slides=config/two.tsv", "references=config/two_atlases.tsv"
    )  # fmt: skip
    assert done.returncode == 1
    assert sorted(path.name for path in (two.folder / "results" / GOOD).iterdir()) == [
        "bundle.json", "cells.parquet", "nuclei.parquet", "preflight.json", "transcripts.parquet",
    ]  # fmt: skip
    lines = (two.folder / "logs" / BAD / "preflight.log").read_text().splitlines()
    assert lines[-1].startswith(f"error: raw/{BAD}/xenium/transcripts.parquet: expected")
    assert "Traceback" not in done.stdout + done.stderr
    told = done.stdout[done.stdout.index("slides are finished:") :].splitlines()
    assert "1 job failed:" in told
    assert f"  {BAD}, preflight: {lines[-1].removeprefix('error: ')}" in told
    assert f"    log: logs/{BAD}/preflight.log" in told
    left = [path for path in (two.folder / "results" / BAD).rglob("*") if path.is_file()]
    assert left == []


def test_a_run_that_succeeds_says_at_its_end_what_is_there(two):
    done = two.snakemake(
        f"results/{GOOD}/preflight.json", "--force", "--config", "slides=config/two.tsv", "references=config/two_atlases.tsv"
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of 2 slides are finished:" in done.stdout
    assert "failed" not in done.stdout
