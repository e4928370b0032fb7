"""Exports of whole slides: a checked folder with its manifest, or nothing."""

import hashlib
import json
import logging

import pytest

from slides import whole_slides
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.settings.export_slides import ExportSlidesSettings
from sthelar_build.stages import export_slides

LISTS = ("he", "transform", "nuclei", "cells", "transcripts", "bundle", "labels")


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export_slides")
    whole_slides.write_sheet(folder / "slides.tsv")
    return folder / "slides.tsv", whole_slides.whole_slides(folder)


def run(slides, out, format="explorer", threads=1, **settings):
    sheet, files = slides
    export_slides.run(
        format=format,
        slides_sheet=sheet,
        slide=[one.name for one in files],
        **{name: [getattr(one, name) for one in files] for name in LISTS},
        out=out,
        settings=ExportSlidesSettings(**settings),
        threads=threads,
    )
    return json.loads((out / "manifest.json").read_text())


@pytest.mark.parametrize("format", export_slides.EXPORTERS)
def test_every_format_is_written_checked_and_declared_by_its_manifest(slides, tmp_path, format):
    manifest = run(slides, tmp_path / "out", format, threads=2)
    files = {
        path.relative_to(tmp_path / "out").as_posix(): path
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert set(manifest["files"]) == set(files)
    for name, facts in manifest["files"].items():
        assert facts["sha256"] == hashlib.sha256(files[name].read_bytes()).hexdigest()
    assert manifest["slides"]["tiny_s0"]["kept"]
    assert manifest["slides"]["tiny_s0"]["registration"] == "warn"
    assert manifest["provenance"]["stage"] == "export_slides"


@pytest.mark.parametrize("format", export_slides.EXPORTERS)
def test_a_second_export_is_equal_byte_for_byte_whatever_the_threads(slides, tmp_path, format):
    one = run(slides, tmp_path / "one", format)
    two = run(slides, tmp_path / "two", format, threads=3)
    assert one["files"] == two["files"]


def test_a_badly_registered_slide_is_left_out_where_its_place_matters(slides, tmp_path, caplog):
    sheet, files = slides
    bad = whole_slides.whole_slide(tmp_path / "bad", "tiny_s0")
    bad.transform.write_text(bad.transform.read_text().replace('"warn"', '"fail"'))
    mixed = (sheet, [bad, *(one for one in files if one.name != "tiny_s0")])
    with caplog.at_level(logging.INFO):
        manifest = run(mixed, tmp_path / "qupath", "qupath")
    assert "kept 1 of 2 slides" in caplog.text
    assert not manifest["slides"]["tiny_s0"]["kept"]
    assert list(manifest["files"]) == ["other_s1.geojson"]
    assert len(run(mixed, tmp_path / "explorer", "explorer")["files"]) == 6
    assert len(run(mixed, tmp_path / "all", "qupath", min_verdict="fail")["files"]) == 2


def test_no_slide_left_is_an_error_in_one_line_and_leaves_nothing(slides, tmp_path):
    with pytest.raises(InputError, match="found none of 2") as error:
        run(slides, tmp_path / "out", "qupath", min_verdict="pass")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_format_of_patches_is_refused_with_the_known_ones(slides, tmp_path):
    with pytest.raises(ConfigError, match="qupath, explorer, hest, stimage, found 'cellvit'"):
        run(slides, tmp_path / "out", "cellvit")


def test_spots_that_overlap_are_refused():
    with pytest.raises(ValueError, match="spots must not overlap"):
        ExportSlidesSettings(spot_um=101)
