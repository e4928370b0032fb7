"""Snakemake's own report is made without a network, and shows every figure with its caption."""

import zipfile

import pytest

from workflow.clones import ROOT, Clone

pytestmark = pytest.mark.workflow

SLIDES = ("toy_breast", "toy_skin", "toy_auto")
OF_A_SLIDE = {
    "report.html",
    "overlay.png",
    "drift.png",
    "checkerboard_5.png",
    "class_map.png",
    "umap_classes.png",
    "umap_clusters.png",
    "dotplot.png",
}
OF_A_SCALE = {"index.html", "samples.png", "class_consistency.csv"}
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def report(built, tmp_path_factory):
    """The report of the toy run, made where every request fails."""
    path = tmp_path_factory.mktemp("report") / "report.zip"
    offline = Clone(built.folder)
    offline.environment |= dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), NOWHERE)
    done = offline.snakemake("--report", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        page = archive.read("report/report.html").decode()
    return names, page


def test_every_figure_page_and_table_is_in_it(report):
    names, _ = report
    files = sorted(name.rsplit("/", 1)[1] for name in names if "/data/raw/" in name)
    assert files == sorted([*OF_A_SLIDE] * len(SLIDES) + [*OF_A_SCALE] * 2)


def test_categories_labels_and_captions_are_on_the_page(report):
    _, page = report
    for category in ("1 Slides", "2 Registration", "3 Annotation", "4 Datasets"):
        assert category in page
    for shows in ("nuclei on the H", "UMAP by class", "page of the dataset"):
        assert shows in page
    assert "Nuclei of the Xenium run, outlined on the H&amp;E of toy_skin" in page.replace(
        "\\u0026", "&"
    )
    assert "become training datasets" in page


def test_the_page_loads_nothing_from_elsewhere(report):
    _, page = report
    assert 'src="http' not in page
    assert '<link rel="stylesheet" href="http' not in page


def test_every_caption_is_used():
    captions = {path.stem for path in (ROOT / "workflow/report").glob("*.rst")}
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert {c for c in captions if f'"{c}": (' in rules} == captions - {"workflow"}
