import re
from pathlib import Path

import pytest

from sthelar_build.needs import Need, RawSize, largest_size, needs, raw_size, recipe_size
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.stages import STAGES

RULES = Path(__file__).parents[1] / "workflow" / "rules"
NEED = Need(
    mb_slides="all",
    mb=1000,
    mb_each=10,
    mb_of="kcells",
    mb_per_thread=200,
    minutes=5,
    minutes_each=0.5,
    minutes_of="he_mpx",
)


def test_every_stage_has_a_need_and_its_rule_asks_for_it():
    assert set(needs()) == set(STAGES)
    for stage in STAGES:
        rule = (RULES / f"{stage}.smk").read_text()
        assert re.search(rf'resources:\n\s+mem_mb=mem_mb\("{stage}"\),\n\s+runtime=runtime', rule)


MEASURED = [
    ("ingest", RawSize(kcells=38.5), 814),
    ("ingest", RawSize(kcells=1340), 6400),
    ("ingest", RawSize(kcells=12.8).with_grown_cells(), 839),
    ("ingest", RawSize(kcells=38.5).with_grown_cells(), 1101),
    ("count", RawSize(mtranscripts=250), 4900),
    ("register", RawSize(kcells=4), 558),
    ("register", RawSize(kcells=1352), 1300),
    ("assemble", RawSize(kcells=1350), 6000),
    ("resegment", RawSize(kcells=38.5), 381),
    ("embed", RawSize(kcells=12.8), 788),
    ("evaluate", RawSize(kcells=4), 763),
    ("compare", RawSize(kcells=4), 615),
    ("gather", RawSize(kcells=4), 162),
    ("gather_predictions", RawSize(kcells=4), 257),
    ("export_slides", RawSize(kcells=12.8), 610),
    ("export_slides", RawSize(kcells=38.5), 838),
]
"""Peaks in MB (docs/scale.md), with one thread or two."""


@pytest.mark.parametrize(("stage", "size", "peak_mb"), MEASURED)
def test_a_job_asks_for_half_as_much_again_as_was_measured(stage, size, peak_mb):
    assert needs()[stage].mem_mb(size) >= 1.5 * peak_mb


def test_memory_grows_with_the_slide_the_threads_and_the_attempt():
    assert NEED.mem_mb(RawSize(kcells=100)) == 1.5 * 2000
    assert NEED.mem_mb(RawSize(kcells=100), threads=3) == 1.5 * 2400
    assert NEED.mem_mb(RawSize(kcells=100), attempt=2) == 2 * 1.5 * 2000


def test_time_grows_with_the_slide_and_the_attempt():
    assert NEED.runtime(RawSize(he_mpx=10)) == 40
    assert NEED.runtime(RawSize(he_mpx=10), attempt=3) == 120


def test_a_small_slide_asks_for_the_least():
    tiny = NEED.model_copy(update={"mb": 10, "minutes": 0.1})
    assert (tiny.mem_mb(RawSize()), tiny.runtime(RawSize())) == (1000, 20)


def test_the_size_of_slides_is_guessed_from_the_bytes_of_their_files(tmp_path):
    for name, n_bytes in (("cells.parquet", 90_000), ("transcripts.csv.gz", 28_000_000)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(n_bytes)
    he = tmp_path / "he.tif"
    he.write_bytes(bytes(800_000))
    size = raw_size([(tmp_path, he), (tmp_path, he)])
    assert (size.kcells, size.mtranscripts, size.he_mpx) == pytest.approx((4, 2, 4))


def test_tables_as_csv_and_the_folder_beside_an_mrxs_count(tmp_path):
    (tmp_path / "cells.csv").write_bytes(bytes(90_000))
    (tmp_path / "he.mrxs").write_bytes(bytes(10))
    (tmp_path / "he").mkdir()
    (tmp_path / "he" / "Data0000.dat").write_bytes(bytes(400_000))
    size = raw_size([(tmp_path, tmp_path / "he.mrxs")])
    assert (size.kcells, size.he_mpx) == pytest.approx((2, 1), abs=1e-3)


def test_the_largest_slide_is_the_largest_in_every_respect(tmp_path):
    slides = []
    for name, n_cells_bytes, n_he_bytes in (("a", 90_000, 400_000), ("b", 45_000, 800_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cells.parquet").write_bytes(bytes(n_cells_bytes))
        (tmp_path / name / "he.tif").write_bytes(bytes(n_he_bytes))
        slides.append((tmp_path / name, tmp_path / name / "he.tif"))
    assert largest_size(slides) == RawSize(kcells=2, he_mpx=2)
    assert largest_size([]) == RawSize()


def test_cells_that_are_grown_count_twice():
    size = RawSize(kcells=3, mtranscripts=5, he_mpx=7).with_grown_cells()
    assert size == RawSize(kcells=6, mtranscripts=10, he_mpx=7)


def test_files_that_are_not_there_yet_have_no_size(tmp_path):
    assert raw_size([(tmp_path / "xenium", tmp_path / "he.tif")]) == RawSize()


def test_a_mosaic_takes_the_memory_of_a_block_and_the_time_of_all():
    block = {"width_um": 54.4, "height_um": 54.4, "he_um_per_px": 0.2125 * 4 / 3}
    mosaic = {**block, "he_rotation_deg": 0, "he_margin_um": 0, "mosaic_columns": 10}
    one, many = (recipe_size(SimulateSettings(**recipe)) for recipe in (block, mosaic))
    assert many.kcells == one.kcells
    assert many.he_mpx == pytest.approx(10 * one.he_mpx)
