"""A mistake of the user is one line that names the file and the remedy, exit status 1, and nothing half-written."""

import json
import shutil
import sys
import zipfile
from pathlib import Path

import anndata
import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

from slides.five_cells import remove_table
from sthelar_build.cli import main

BUNDLE = "xenium"


@pytest.fixture
def raw(toy, tmp_path):
    folder = tmp_path / "raw"
    shutil.copytree(toy.raw, folder)
    return folder


def run(monkeypatch, capsys, *words):
    """Call the command line; return the exit status and what it says on standard error."""
    monkeypatch.setattr(sys, "argv", ["sthelar-build", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, capsys.readouterr().err


def preflight_words(raw, out, **changes):
    options = {
        "slide": "toy",
        "xenium": raw / BUNDLE,
        "he": raw / "he_image.ome.tif",
        "alignment": raw / "alignment_matrix.csv",
        "reference": raw / "reference.h5ad",
        "label-key": "cell_type",
        "out": out,
        "settings": "{}",
        **changes,
    }
    return [
        "preflight",
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    ]


def rewrite_parquet(path, change):
    table = pq.read_table(path)
    path.unlink()
    pq.write_table(change(table), path)


def renamed(old, new):
    return lambda table: table.rename_columns(
        [new if name == old else name for name in table.column_names]
    )


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_pixel_size(path):
    facts = json.loads(path.read_text())
    del facts["pixel_size"]
    path.write_text(json.dumps(facts))


def only_other_genes(path):
    atlas = anndata.read_h5ad(path)
    atlas.var_names = [f"XX{i}" for i in range(atlas.n_vars)]
    atlas.var = atlas.var[[]]
    atlas.write_h5ad(path)


def zip_without_alignment(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")


BROKEN_FILES = {
    "the experiment file is missing": (
        f"{BUNDLE}/experiment.xenium",
        Path.unlink,
        "experiment.xenium",
    ),
    "the experiment file is not JSON": (f"{BUNDLE}/experiment.xenium", halve, "JSON"),
    "the experiment file has no pixel size": (
        f"{BUNDLE}/experiment.xenium",
        without_pixel_size,
        "pixel_size",
    ),
    "the nuclei are missing": (
        f"{BUNDLE}/nucleus_boundaries.parquet",
        lambda path: remove_table(path.parent, path.name),
        "nucleus_boundaries",
    ),
    "the transcripts are truncated": (f"{BUNDLE}/transcripts.parquet", halve, "truncated"),
    "the transcripts lack a column": (
        f"{BUNDLE}/transcripts.parquet",
        lambda path: rewrite_parquet(path, renamed("qv", "quality")),
        "qv",
    ),
    "the cells lack a column": (
        f"{BUNDLE}/cells.parquet",
        lambda path: rewrite_parquet(path, renamed("x_centroid", "x")),
        "x_centroid",
    ),
    "the matrix of counts is no h5": (
        f"{BUNDLE}/cell_feature_matrix.h5",
        lambda path: path.write_text("x"),
        "h5",
    ),
    "the H&E is truncated": ("he_image.ome.tif", halve, "he_image"),
    "the H&E is no image": ("he_image.ome.tif", lambda path: path.write_text("x"), "he_image"),
    "the matrix is not 3x3": (
        "alignment_matrix.csv",
        lambda path: path.write_text("1,0,0\n0,1,0\n"),
        "3x3",
    ),
    "the matrix is not numeric": (
        "alignment_matrix.csv",
        lambda path: path.write_text("a,b,c\nd,e,f\ng,h,i\n"),
        "number",
    ),
    "the matrix is singular": (
        "alignment_matrix.csv",
        lambda path: path.write_text("1,1,0\n1,1,0\n0,0,1\n"),
        "singular",
    ),
    "there are two keypoints only": (
        "alignment_matrix.csv",
        lambda path: path.write_text("fixedX,fixedY,alignmentX,alignmentY\n1,1,1,1\n2,3,2,3\n"),
        "keypoints",
    ),
    "the reference is no h5ad": ("reference.h5ad", lambda path: path.write_text("x"), "h5ad"),
    "the reference shares no gene": ("reference.h5ad", only_other_genes, "gene"),
}


@pytest.mark.parametrize(("file", "damage", "word"), BROKEN_FILES.values(), ids=BROKEN_FILES.keys())
def test_a_broken_file_is_named(raw, tmp_path, monkeypatch, capsys, file, damage, word):
    damage(raw / file)
    out = tmp_path / "out" / "preflight.json"
    status, said = run(monkeypatch, capsys, *preflight_words(raw, out))
    assert status == 1
    assert_one_line(said, word)
    assert not list(tmp_path.glob("out/*"))


def predictions_without_maps(path):
    with h5py.File(path, "w") as file:
        file["unrelated"] = np.zeros(1)


WRONG_ARGUMENTS = {
    "the bundle is missing": ({"xenium": Path("absent")}, "absent"),
    "the label key is absent": ({"label-key": "celltype"}, "cell_type"),
    "the layer is absent": ({"layer": "raw"}, "raw"),
}


@pytest.mark.parametrize(("changes", "word"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS.keys())
def test_a_wrong_argument_is_named(raw, tmp_path, monkeypatch, capsys, changes, word):
    out = tmp_path / "out" / "preflight.json"
    status, said = run(monkeypatch, capsys, *preflight_words(raw, out, **changes))
    assert status == 1
    assert_one_line(said, word)
    assert not list(tmp_path.glob("out/*"))


MADE_FILES = {
    "the label map has an unknown class": (
        "label-map",
        lambda path: path.write_text("label\tclass\nT_CD8\tLymphocytes\n"),
        "Lymphocytes",
    ),
    "the label map has other columns": (
        "label-map",
        lambda path: path.write_text("fine\tcoarse\nT_CD8\tT_NK\n"),
        "label",
    ),
    "the predictions are no h5": ("predictions", lambda path: path.write_text("x"), "h5"),
    "the predictions hold no instance map": ("predictions", predictions_without_maps, "_data"),
    "the Explorer zip holds no alignment": ("alignment", zip_without_alignment, "matrix"),
}


@pytest.mark.parametrize(("option", "make", "word"), MADE_FILES.values(), ids=MADE_FILES.keys())
def test_a_file_with_the_wrong_content_is_named(
    raw, tmp_path, monkeypatch, capsys, option, make, word
):
    path = raw / ("made.zip" if option == "alignment" else "made.tsv")
    make(path)
    out = tmp_path / "out" / "preflight.json"
    status, said = run(monkeypatch, capsys, *preflight_words(raw, out, **{option: path}))
    assert status == 1
    assert_one_line(said, word)
    assert path.name in said
    assert not list(tmp_path.glob("out/*"))


def test_good_input_passes_so_that_the_tests_above_mean_something(
    raw, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "preflight.json"
    monkeypatch.setattr(sys, "argv", ["sthelar-build", *map(str, preflight_words(raw, out))])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code in {0, None}, capsys.readouterr().err
    assert json.loads(out.read_text())["problems"] == []


def assert_one_line(said, word):
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, said
    assert said.rstrip().endswith(errors[0])
    assert "Traceback" not in said
    assert word in errors[0], errors[0]
