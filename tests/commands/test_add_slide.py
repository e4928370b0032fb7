"""A row is written after a look into the folder: what is found, guessed and missing is told."""

import json
import shutil

import pytest
import typer
from typer.testing import CliRunner

from slides.raw_slide import ROW, write_raw_slide, write_sheets
from sthelar_build.commands import add_slide
from sthelar_build.errors import SthelarError
from sthelar_build.sheets import load_slides

app = typer.Typer()
app.command()(add_slide.run)
OTHER = ROW.replace("own", "other").replace("outs", "elsewhere/outs")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with sheets, and beside them the raw files of a slide that no sheet names."""
    (tmp_path / "lab" / "Breast S1").mkdir(parents=True)
    write_raw_slide(tmp_path / "lab" / "Breast S1")
    folder = tmp_path / "lab" / "Breast S1"
    (folder / "matrix.csv").rename(folder / "he_imagealignment.csv")
    write_sheets(tmp_path, f"# mine\n{OTHER}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def added(*words):
    done = CliRunner().invoke(app, list(words))
    if isinstance(done.exception, SthelarError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def sheet(here):
    return (here / "config/slides.tsv").read_text()


def specify(here, **facts):
    path = here / "lab/Breast S1/outs/experiment.xenium"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_what_lies_in_the_folder_is_found_and_the_rest_is_named(here):
    before = sheet(here)
    text = added("lab/Breast S1")
    assert sheet(here) == (
        f"{before}Breast_S1\tBreast_S1\t\t\tlab/Breast S1/outs\tlab/Breast S1/he_image.ome.tif\t"
        "lab/Breast S1/he_imagealignment.csv\tatlas\t\n"
    )
    assert "XOA 3.0.0, Simulated panel: 3 genes, 5 cells" in text
    assert "H&E: 130 x 95 px, 5 levels, 0.425 um a pixel" in text
    assert "fill in tissue, condition in config/slides.tsv" in text
    assert text.endswith("Next: sthelar-build doctor --slide Breast_S1\n")


def test_the_bundle_itself_may_be_named_and_what_lies_beside_it_is_found(here):
    specify(here, panel_tissue_type="Breast")
    text = added("lab/Breast S1/outs", "--condition", "cancer")
    row = load_slides(here / "config/slides.tsv")["Breast_S1"]
    assert (row.tissue, row.condition) == ("Breast", "cancer")
    assert row.he.is_file()
    assert "guessed  tissue: Breast" in text
    assert "not complete" not in text


def test_what_is_given_goes_before_what_is_found(here):
    text = added(
        "lab/Breast S1", "--name", "mine", "--tissue", "Skin", "--condition", "normal", "--patient", "p7",
        "--alignment", "identity", "--reference", "atlas", "--he", "lab/Breast S1/he_image.ome.tif",
    )  # fmt: skip
    row = load_slides(here / "config/slides.tsv")["mine"]
    assert (row.tissue, row.patient, row.alignment, row.reference) == (
        "Skin", "p7", "identity", "atlas",
    )  # fmt: skip
    assert "guessed" not in text


def test_without_alignment_it_is_auto_and_without_image_the_cell_is_empty(here):
    (here / "lab/Breast S1/he_imagealignment.csv").unlink()
    (here / "lab/Breast S1/he_image.ome.tif").unlink()
    text = added("lab/Breast S1")
    assert "guessed  alignment: auto: the H&E will be placed by its nuclei" in text
    assert "missing  he: none is in or beside the folder, name it with --he" in text
    assert sheet(here).splitlines()[-1].split("\t")[5:7] == ["", "auto"]


def test_files_elsewhere_are_named_in_full(here, tmp_path_factory):
    place = tmp_path_factory.mktemp("far") / "Lung"
    shutil.move(here / "lab/Breast S1", place)
    added(str(place))
    assert f"Lung\tLung\t\t\t{place}/outs\t{place}/he_image.ome.tif" in sheet(here)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent"], "absent: expected a Xenium output folder, found nothing"),
        (["lab/Breast S1/reference.h5ad"], "found a file"),
        (["config"], "found none; give the folder that holds it"),
        (["lab/Breast S1", "--name", "a-b"], "--name: expected letters, digits and _"),
        (["lab/Breast S1", "--name", "other"], "found one; take another name"),
        (["lab/Breast S1", "--he", "absent.tif"], "absent.tif: expected a file"),
        (["lab/Breast S1", "--he", "config/slides.tsv"], "config/slides.tsv: expected"),
        (["lab/Breast S1", "--tissue", "a\nb"], "line break in tissue"),
        (["lab/Breast S1", "--configfile", "absent.yaml"], "go to the folder of the workflow"),
    ],
)
def test_what_cannot_be_added_is_one_line_and_the_sheet_stays(here, words, message):
    before = sheet(here)
    with pytest.raises(SthelarError) as error:
        added(*words)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert sheet(here) == before


def test_a_bundle_that_is_damaged_is_not_added(here):
    path = here / "lab/Breast S1/outs/cells.parquet"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(SthelarError, match=r"cells\.parquet"):
        added("lab/Breast S1")
    assert "Breast_S1" not in sheet(here)


def test_a_folder_is_added_once(here):
    added("lab/Breast S1")
    with pytest.raises(SthelarError, match="found slide Breast_S1; change that row instead"):
        added("lab/Breast S1", "--name", "again")
