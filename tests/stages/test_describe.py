"""Describe a collected and exported dataset: card, page, Croissant and samples are true and complete."""

import json
import logging
import re

import numpy as np
import pytest
from PIL import Image

from croissant_rules import flaws
from slides import two_slides
from sthelar_build.errors import InputError
from sthelar_build.io.provenance import checksum
from sthelar_build.io.records import write_record
from sthelar_build.io.splits import read_splits
from sthelar_build.schema.labels import class_named
from sthelar_build.settings.collect import CollectSettings
from sthelar_build.settings.describe import DescribeSettings
from sthelar_build.settings.export import ExportSettings
from sthelar_build.settings.report import VerdictLimits
from sthelar_build.stages import collect, describe, export

OWNED = {
    "licence": "CC-BY-4.0",
    "url": "https://example.org/d",
    "creators": ("A lab",),
    "date_published": "2026-11-21",
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A dataset in the folder ``out``, exported for CellViT, and its slides beside it."""
    folder = tmp_path_factory.mktemp("describe")
    files = [two_slides.write_slide(folder / name, name) for name in two_slides.SLIDES]
    two_slides.write_sheet(folder / "slides.tsv")
    common = {
        "slides_sheet": folder / "slides.tsv",
        "scale": "40x",
        "slide": [one.slide for one in files],
        **{name: [getattr(one, name) for one in files] for name in ("patches", "masks", "metrics")},
        "transform": [folder / one.slide / "transform.json" for one in files],
        "labels": [folder / one.slide / "labels.parquet" for one in files],
    }
    counts = [folder / one.slide / "counts_cells.h5ad" for one in files]
    collect.run(
        **common, counts_cells=counts, out=folder / "out", settings=CollectSettings(guard_px=8)
    )
    inputs = {name: [getattr(one, name) for one in files] for name in ("he", "nuclei", "cells")}
    export.run(
        **common,
        **inputs,
        format="cellvit",
        splits=folder / "out/splits.parquet",
        out=folder / "out/cellvit",
        settings=ExportSettings(jaccard=(0.7, 1)),
    )
    return folder


def run(folder, out=None, manifests=("cellvit",), slide_manifests=(), limits=None, **settings):
    files = [two_slides.files_of(folder / name, name) for name in two_slides.SLIDES]
    out = out or folder / "out"
    describe.run(
        facts=folder / "out/facts.json",
        slide=[one.slide for one in files],
        he=[one.he for one in files],
        patches=[one.patches for one in files],
        masks=[one.masks for one in files],
        metrics=[one.metrics for one in files],
        labels=[one.labels for one in files],
        slide_manifests=list(slide_manifests),
        limits=VerdictLimits(**(limits or {})),
        manifests=[folder / "out" / name / "manifest.json" for name in manifests],
        out=out,
        settings=DescribeSettings(**settings),
    )
    return out


@pytest.fixture(scope="module")
def described(dataset):
    return run(dataset, **OWNED)


def cells(page, name, table=0):
    """Return the texts of the row of this name, of the first table that has one, or of the last (-1)."""
    rows = re.findall(
        rf'<tr><th scope="row"[^>]*>(?:<img[^>]*>)?(?:<a [^>]*>)?{name}<(.*?)</tr>', page, re.DOTALL
    )
    return [
        re.sub(r"<[^>]*>", "", text).strip()
        for text in re.findall(r"<td[^>]*>(.*?)</td>", rows[table], re.DOTALL)
    ]


def test_card_and_page_show_slides_classes_splits_audit_and_hash(described):
    _, facts = read_splits(described / "splits.parquet")
    card, page = ((described / name).read_text() for name in ("card.md", "index.html"))
    for text in (card, page):
        for words in (
            "skin_s1",
            "breast_s0",
            "T_NK",
            "valid",
            "space",
            "CC-BY-4.0",
            "A lab",
            facts["sha256"],
        ):
            assert words in text.replace("\n", " "), words
    assert "0 nuclei are drawn in two" in card.replace("\n", " ")
    assert cells(page, "nuclei drawn in two splits") == ["0"]
    assert '"stage": "describe"' in card
    assert '"stage": "collect"' in card
    assert "type_map" in page
    assert "http" not in page.split("</style>")[1]


def test_what_was_kept_and_what_it_weighs_is_told(described):
    manifest = json.loads((described / "cellvit/manifest.json").read_text())
    page = (described / "index.html").read_text()
    counts = manifest["slides"]["skin_s1"]["patches"]
    assert cells(page, "skin_s1", table=-1)[:2] == [str(counts["kept"]), "56"]
    assert f"{counts['jaccard']} jaccard" in page
    assert cells(page, "cellvit/")[0].endswith((" kB", " MB"))
    assert (
        f"| {manifest['n_patches']} | {manifest['n_patches_total']} |"
        in (described / "card.md").read_text()
    )


def test_slides_stand_side_by_side_with_their_verdicts_and_lead_to_their_reports(described):
    page = (described / "index.html").read_text()
    assert 'href="../../skin_s1/report.html"' in page
    assert page.count('class="thumb" src="data:image/webp;base64,') == 2
    # Every other patch with nuclei has a Jaccard of 0.8, the others 0.3; all labels agree.
    shown = cells(page, "skin_s1")
    assert shown[:3] == ["Pass", "Pass", "Pass"]
    assert shown[4] == "100.0 %"


def test_verdicts_have_the_limits_of_the_reports_of_the_slides(dataset, tmp_path):
    limits = {"min_jaccard": 0.9, "min_decided": 1}
    page = (run(dataset, limits=limits) / "index.html").read_text()
    assert cells(page, "skin_s1")[:3] == ["Pass", "Pass", "Warning"]
    assert "With care: breast_s0 (masks), skin_s1 (masks)." in page
    run(dataset, **OWNED)


def test_the_page_needs_nothing_beside_it_and_two_slides_are_not_judged(described):
    page = (described / "index.html").read_text()
    assert not re.search(r'(?:src|href)="(?!data:|#|\.\./\.\./)', page)
    assert "2 slides: too few to call one the odd one, for which it takes 5" in page
    assert "Too few to tell" in page


def test_whole_slides_are_listed_with_the_code_that_loads_them(dataset, tmp_path):
    slides = {"skin_s1": {"kept": True}, "breast_s0": {"kept": False}}
    files = {"skin_s1.geojson": {"bytes": 2_000_000, "sha256": "0" * 64}}
    record = {"format": "qupath", "slides": slides, "files": files}
    write_record(tmp_path / "manifest.json", record, {})
    page = (run(dataset, slide_manifests=[tmp_path / "manifest.json"]) / "index.html").read_text()
    assert cells(page, "qupath/")[:4] == ["2 MB", "1", "1", "2"]
    assert "whole_slides/qupath/breast_s0.geojson" in page
    run(dataset, **OWNED)


def test_croissant_keeps_the_rules_and_proves_every_file_of_the_dataset(described):
    record = json.loads((described / "croissant.json").read_text())
    assert flaws(record) == []
    files = {one["@id"]: one for one in record["distribution"] if one["@type"] == "cr:FileObject"}
    on_disk = {
        path.relative_to(described).as_posix()
        for path in described.rglob("*")
        if path.is_file() and path.name not in {"manifest.json", "facts.json"}
    }
    assert set(files) == on_disk - {"card.md", "croissant.json", "index.html", "samples.png"}
    for name, file in files.items():
        found = checksum(described / name)
        assert (file["sha256"], file["contentSize"]) == (found["sha256"], f"{found['bytes']} B")


def test_samples_show_slides_and_classes_in_their_colours(described):
    with Image.open(described / "samples.png") as image:
        pixels = np.asarray(image)
    for name in ("T_NK", "Epithelial", "Other"):
        assert (pixels == class_named(name).colour).all(axis=2).sum() > 200
    assert "Patches with the outlines" in (described / "index.html").read_text()


def test_the_same_work_gives_the_same_bytes(dataset, described, tmp_path):
    names = ("card.md", "croissant.json", "index.html", "samples.png")
    before = {name: (described / name).read_bytes() for name in names}
    run(dataset, **OWNED)
    assert {name: (described / name).read_bytes() for name in names} == before


def test_a_checksum_that_was_sampled_is_taken_again_from_the_whole_file(dataset, tmp_path):
    folder = dataset / "out" / "copy"
    folder.mkdir()
    (folder / "large.npz").write_bytes(b"whole")
    manifest = json.loads((dataset / "out/cellvit/manifest.json").read_text())
    sampled = {"large.npz": {"bytes": 5, "sha256": "0" * 64, "sampled": True}}
    write_record(folder / "manifest.json", {**manifest, "files": sampled}, {})
    run(dataset, manifests=("copy",))
    record = json.loads((dataset / "out/croissant.json").read_text())
    (file,) = (one for one in record["distribution"] if one["@id"] == "copy/large.npz")
    assert file["sha256"] == checksum(folder / "large.npz")["sha256"]


def test_what_croissant_misses_is_told_and_a_dataset_without_exports_is_described(dataset, caplog):
    with caplog.at_level(logging.WARNING):
        run(dataset, manifests=())
    assert "also asks for license, url, creator, datePublished" in caplog.text
    record = json.loads((dataset / "out/croissant.json").read_text())
    assert flaws(record, published=False) == []


def test_facts_of_another_kind_are_refused(dataset, tmp_path):
    write_record(tmp_path / "facts.json", {"scale": "40x"}, {})
    with pytest.raises(InputError, match="found no side_px"):
        describe.run(
            facts=tmp_path / "facts.json", slide=[], he=[], patches=[], masks=[], metrics=[], labels=[], out=tmp_path,
            settings=DescribeSettings(), limits=VerdictLimits(),
        )  # fmt: skip


def test_a_day_that_is_none_is_refused():
    with pytest.raises(ValueError, match="date_published"):
        DescribeSettings(date_published="soon")
