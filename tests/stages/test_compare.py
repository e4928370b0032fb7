"""Compare: tables, figures and a page say what the evaluations hold, and one slide more or less is no trouble."""

import logging

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from slides import evaluations
from sthelar_build.errors import InputError
from sthelar_build.io.counts import write_h5ad
from sthelar_build.settings.compare import CompareSettings
from sthelar_build.stages import compare

SLIDES = ("skin_s1", "breast_s0", "breast_s1")
SETTINGS = CompareSettings(min_nuclei=5)


def write_sheet(path):
    head = "slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\n"
    rows = [f"{s}\tp\t{s.split('_')[0].title()}\tcancer\tx\th\tauto\tr\n" for s in SLIDES]
    path.write_text(head + "".join(rows))
    return path


def write(folder, slide, wrong=2, quality=0.6, **changed):
    cells = evaluations.confused(20, wrong)
    counts = {"test": evaluations.detection(30, 5, 5)}
    out = folder / slide / "evaluation_40x"
    return evaluations.write(out, slide, cells, evaluations.patches(quality), counts, **changed)


@pytest.fixture
def sheet(tmp_path):
    return write_sheet(tmp_path / "slides.tsv")


def run(paths, sheet, out, **more):
    compare.run(evaluations=paths, slides_sheet=sheet, out=out, settings=SETTINGS, **more)
    return (out / "index.html").read_text()


def test_tables_and_page_say_the_same(tmp_path, sheet, caplog):
    wrong = dict(zip(SLIDES, (2, 4, 18), strict=True))
    paths = [write(tmp_path, slide, wrong[slide]) for slide in SLIDES]
    with caplog.at_level(logging.INFO):
        page = run(paths, sheet, tmp_path / "out")
    assert run(paths, sheet, tmp_path / "again") == page
    classes = pd.read_csv(tmp_path / "out" / "per_class.csv").set_index("class")
    assert classes.loc["cancer_cell", "n"] == 60
    assert classes.loc["cancer_cell", "recall"] == pytest.approx(36 / 60)
    assert classes.loc["normal_cell", "precision"] == pytest.approx(60 / 84)
    counts = pd.read_csv(tmp_path / "out" / "confusion.csv")
    assert counts.loc[0, "normal_cell"] == 24
    slides = pd.read_csv(tmp_path / "out" / "per_slide.csv", keep_default_na=False)
    assert slides.slide.tolist() == list(SLIDES)
    assert slides.behind.tolist() == ["", "", "balanced_accuracy"]
    assert "40.0 % of cancer_cell (24 of 60 nuclei) are taken for normal_cell." in page
    assert "breast_s1 (Breast): balanced accuracy 0.55" in page
    assert "Types of the network that are no class of cancer_normal: Odd." in page
    assert "3 slides, 120 nuclei" in caplog.text
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_page_carries_its_pictures(tmp_path, sheet):
    page = run([write(tmp_path, SLIDES[0])], sheet, tmp_path / "out")
    assert page.count("data:image/webp;base64,") == 4
    names = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert names == {"classes.png", "confidence.png", "confusion.png", "metrics.png"}
    assert "There is one slide: nothing to compare it with." in page


def test_perfect_agreement_is_said_to_be_one(tmp_path, sheet):
    page = run([write(tmp_path, slide, wrong=0) for slide in SLIDES], sheet, tmp_path / "out")
    assert "No class is taken for another" in page
    assert "None: in no slide" in page
    assert "nothing disagrees" in page


def test_slides_without_patches_are_named_and_none_at_all_refused(tmp_path, sheet):
    cells, shown = evaluations.nuclei([(1, 1)]).iloc[:0], evaluations.patches(1).iloc[:0]
    empty = evaluations.write(tmp_path / "skin_s1" / "e", "skin_s1", cells, shown, {})
    page = run([empty, write(tmp_path, "breast_s0")], sheet, tmp_path / "out")
    assert "Without predicted patches in this split: skin_s1." in page
    with pytest.raises(InputError, match="expected predicted patches in at least one slide"):
        run([empty], sheet, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_slide_that_the_sheet_lacks_is_refused(tmp_path, sheet):
    with pytest.raises(InputError, match="found none for stranger"):
        run([write(tmp_path, "stranger")], sheet, tmp_path / "out")


def test_two_networks_are_not_mixed(tmp_path, sheet):
    paths = [write(tmp_path, SLIDES[0]), write(tmp_path, SLIDES[1], scale="20x")]
    with pytest.raises(InputError, match="expected the scale"):
        run(paths, sheet, tmp_path / "out")


def test_features_are_probed_where_they_are_given(tmp_path, sheet):
    paths = [write(tmp_path, slide) for slide in SLIDES]
    features = []
    for number, slide in enumerate(SLIDES):
        ids = np.arange(1, 41)
        values = np.random.default_rng(number).normal(size=(40, 3)).astype(np.float32)
        values[:20, 0] += 5
        obs = pd.DataFrame({"nucleus_id": ids}, index=ids.astype(str))
        path = tmp_path / slide / "features_net.h5ad"
        write_h5ad(path, AnnData(values, obs=obs), {"stage": "test"})
        features.append(path)
    page = run(paths, sheet, tmp_path / "out", features=features)
    table = pd.read_csv(tmp_path / "out" / "feature_probe.csv")
    assert table.held_out_slide.tolist() == list(SLIDES)
    assert (table.balanced_accuracy > 0.9).all()
    assert "net: on slides that it has not learnt from" in page
