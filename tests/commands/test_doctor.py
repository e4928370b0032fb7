"""The doctor finds what would stop a run, says what to do, and writes nothing."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from slides.raw_slide import ROW, write_raw_slide, write_sheets
from sthelar_build.commands import doctor
from sthelar_build.commands.checks import installation, machine
from sthelar_build.config import Config

ROOT = Path(__file__).parents[2]
app = typer.Typer()
app.command()(doctor.run)


@pytest.fixture
def slide(tmp_path, monkeypatch):
    """A folder with the raw files of one slide, and the sheets that name it."""
    write_raw_slide(tmp_path)
    write_sheets(tmp_path, ROW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*words, status):
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == status, done.output
    return done.output


def files(folder):
    return sorted(folder.rglob("*"))


def test_a_slide_in_order_has_no_problem_and_nothing_is_written(slide):
    before = files(slide)
    text = said("--slide", "own", status=0)
    assert "  ok       Xenium bundle: XOA 3.0.0" in text
    assert "  ok       H&E: 130 x 95 px" in text
    assert "problem  " not in text
    assert files(slide) == before


def test_every_broken_file_is_named_and_not_the_first_alone(slide):
    (slide / "he_image.ome.tif").write_bytes(b"no image")
    (slide / "reference.h5ad").unlink()
    text = said(status=1)
    assert "problem  H&E: he_image.ome.tif: expected" in text
    assert "warning  alignment: not looked at" in text
    assert "problem  reference: reference.h5ad: expected" in text
    assert text.splitlines()[-1].startswith("2 problems, ")


def test_what_preflight_warns_of_the_doctor_warns_of(slide):
    (slide / "matrix.csv").write_text("0.5,0,0\n0,0.5,0\n0,0,1\n")
    text = said(status=0)
    assert "warning  alignment: The alignment makes an H&E pixel 0.1062 um" in text
    assert "warning" in text.splitlines()[-1]


def test_a_clone_whose_slides_are_still_to_be_simulated_is_in_order(tmp_path, monkeypatch):
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    text = said(status=0)
    assert text.count("ok       raw files: the workflow will simulate them") == 3


def test_a_sheet_with_an_empty_cell_is_a_problem_with_its_line(slide):
    write_sheets(slide, ROW.replace("Breast", ""))
    text = said(status=1)
    assert "line 2 (slide own): tissue: expected" in text


def test_files_that_the_configuration_names_must_be_there(slide):
    (slide / "config/config.yaml").write_text("segment: {checkpoint: absent.pth}\n")
    assert "problem  segment.checkpoint: expected absent.pth, found nothing" in said(status=1)


def test_a_configuration_that_cannot_be_read_is_a_problem(slide):
    (slide / "config/config.yaml").write_text("a: [\n")
    assert "problem  config/config.yaml: expected YAML" in said(status=1)


def test_a_slide_that_is_not_in_the_sheet_is_refused_with_the_nearest(slide):
    done = CliRunner().invoke(app, ["--slide", "owm"])
    assert "nearest: 'own'" in str(done.exception)


def test_decisions_for_no_slide_and_an_atlas_that_is_not_listed_are_told(slide):
    (slide / "config/curation").mkdir()
    (slide / "config/curation/owm.tsv").write_text("target\tlabel\twho\twhen\twhy\n")
    assert "decides nothing, as no slide has this name" in said(status=0)
    write_sheets(slide, ROW.replace("atlas", "atlass"))
    assert "found 'atlass'; add it there" in said(status=1)


@pytest.mark.parametrize(("free_mb", "mark"), [(1e6, "ok "), (4.0, "warning "), (0.1, "problem ")])
def test_the_disk_is_compared_with_what_the_slides_need(slide, monkeypatch, free_mb, mark):
    monkeypatch.setattr(machine, "free_mb", lambda _: free_mb)
    monkeypatch.setattr(machine, "disk_mb", lambda *_: 3.0)
    assert f"  {mark}" in said(status=int(mark == "problem ")).split("disk:")[0].splitlines()[-1]


@pytest.mark.parametrize(("there", "mark"), [(9e9, "ok"), (1500, "warning"), (1000, "problem")])
def test_memory_is_compared_with_the_largest_job(there, mark):
    line = machine._memory(machine.Job("refine", "own", 2000, 20), there)
    assert line.mark == mark
    assert "refine of own, asks for 2 GB" in line.found


def test_a_gpu_that_is_asked_for_and_packages_that_are_not_there_are_named(monkeypatch):
    monkeypatch.setattr(installation, "find_spec", lambda _: None)
    config = Config.model_validate(
        {"resegment": {"source": "cellpose", "device": "cuda"}, "cluster": {"scvi": True}}
    )
    lines = {line.name: line for line in installation.check_installation(config)}
    assert lines["cellpose"].remedy == 'pip install ".[segment]", or change resegment.source'
    assert "scvi-tools" in lines["scvi"].remedy
    assert "transformers" not in lines
    assert ("GPU" in lines) != ("runs on cuda" in lines["torch"].found)
