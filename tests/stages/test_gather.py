"""Masks drawn by several jobs are those of one, byte for byte."""

import shutil

import pytest

from slides.molecules import write_molecules
from slides.turned_slide import (
    PIXEL_SIZE_UM,
    he_side_px,
    make_turned_slide,
    turned_matrix,
)
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.provenance import provenance
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.settings.gather import GatherSettings
from sthelar_build.settings.rasterise import RasteriseSettings
from sthelar_build.settings.tile import TileSettings
from sthelar_build.stages import rasterise, tile
from sthelar_build.stages.gather import run


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    slide = make_turned_slide(tmp_path_factory.mktemp("gather") / "slide", turned_matrix(200))
    placed = Transform(slide.he_to_morphology, "matrix", he_side_px(), he_side_px(), PIXEL_SIZE_UM)
    write_transform(slide.folder / "transform.json", placed, provenance("test"))
    tile.run(
        he=slide.he,
        transform=slide.folder / "transform.json",
        transcripts=write_molecules(slide.folder / "transcripts.parquet"),
        scale="native",
        patches=slide.folder / "patches.parquet",
        settings=TileSettings(side_px=128, overlap_px=32),
    )
    return slide


def draw(slide, masks, shard="1/1", **settings):
    rasterise.run(
        nuclei=slide.nuclei_table,
        labels=slide.labels,
        transform=slide.folder / "transform.json",
        patches=slide.folder / "patches.parquet",
        masks=masks,
        shard=shard,
        settings=RasteriseSettings(**settings),
    )
    return masks


def gather(slide, shards, masks):
    run(
        patches=slide.folder / "patches.parquet",
        shard=shards,
        masks=masks,
        settings=GatherSettings(),
    )


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("n_shards", [2, 7, 40])
def test_shards_make_what_one_job_makes(slide, tmp_path, n_shards):
    whole = draw(slide, tmp_path / "whole")
    shards = [draw(slide, tmp_path / f"{n}", f"{n}/{n_shards}") for n in range(1, n_shards + 1)]
    gather(slide, shards[::-1], tmp_path / "masks")
    for shard in shards:
        shutil.rmtree(shard)
    assert contents(tmp_path / "masks") == contents(whole)


def test_a_missing_shard_is_told(slide, tmp_path):
    shards = [draw(slide, tmp_path / f"{n}", f"{n}/3") for n in (1, 3)]
    with pytest.raises(InputError, match=r"begins with row \d+ of the grid, found one from \d+"):
        gather(slide, shards, tmp_path / "masks")
    with pytest.raises(InputError, match=r"shards of all \d+ rows of the grid, found \d+"):
        gather(slide, shards[:1], tmp_path / "masks")
    assert not (tmp_path / "masks").exists()


def test_shards_of_other_settings_are_not_mixed(slide, tmp_path):
    shards = [draw(slide, tmp_path / f"{n}", f"{n}/2", min_visible_px=5 * n) for n in (1, 2)]
    with pytest.raises(InputError, match="same slide, settings and inputs"):
        gather(slide, shards, tmp_path / "masks")


def test_a_shard_that_cannot_be_is_refused(slide, tmp_path):
    with pytest.raises(ConfigError, match="--shard: expected a shard such as 2/7, got '4/3'"):
        draw(slide, tmp_path / "masks", "4/3")
