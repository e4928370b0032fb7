"""Segment: nuclei that are drawn are found, at either scale, and supplied maps are taken over or refused."""

import logging

import h5py
import numpy as np
import pytest
import scipy.sparse
import tifffile

from sthelar_build.config import SegmentSettings
from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.errors import InputError
from sthelar_build.io.instance_maps import open_instance_maps
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import PATCHES
from sthelar_build.stages import segment

UM_PER_PX, SIDE_PX = 0.25, 128
EOSIN, HAEMATOXYLIN = (230, 150, 190), (90, 60, 140)
SETTINGS = SegmentSettings()


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    """600 x 400 px of pink tissue with a violet disc of 4 um radius every 60 px, none right of x = 370."""
    folder = tmp_path_factory.mktemp("segment")
    y, x = np.mgrid[:400, :600]
    disc = ((x % 60 - 30) ** 2 + (y % 60 - 30) ** 2 < 16**2) & (x < 370)
    image = np.where(disc[..., None], HAEMATOXYLIN, EOSIN)
    noise = np.random.default_rng(0).integers(-12, 13, image.shape)
    pixels = np.clip(image + noise, 0, 255).astype(np.uint8)
    tifffile.imwrite(folder / "he.tif", pixels, photometric="rgb", tile=(128, 128))
    for name, downsample in (("40x", 1.0), ("20x", 2.0)):
        grid = patch_grid(600, 400, downsample, SIDE_PX, 32)
        table = patch_table(grid).assign(tissue_fraction=np.float32(1), blur_um=np.float32(0.6))
        facts = {
            "um_per_px": UM_PER_PX * downsample, "side_px": SIDE_PX, "rows": grid.rows, "columns": grid.columns,
        }  # fmt: skip
        write_table(folder / f"patches_{name}.parquet", table, PATCHES, {}, facts)
    return folder, disc


def run(folder, out, scale="40x", **arguments):
    segment.run(
        he=folder / "he.tif",
        patches=folder / f"patches_{scale}.parquet",
        predictions=out,
        settings=SETTINGS,
        **arguments,
    )


@pytest.mark.parametrize(("scale", "step"), [("40x", 1), ("20x", 2)])
def test_drawn_nuclei_are_found(slide, tmp_path, scale, step):
    folder, disc = slide
    run(folder, tmp_path / "maps.h5", scale)
    with open_instance_maps(tmp_path / "maps.h5") as maps:
        found = maps.read(0, SIDE_PX).dense() > 0
        assert maps.method == "haematoxylin"
    true = disc[: SIDE_PX * step : step, : SIDE_PX * step : step]
    assert (found & true).sum() / (found | true).sum() > 0.8


def test_only_complete_patches_get_a_map_and_those_without_nuclei_an_empty_one(slide, tmp_path):
    folder, _ = slide
    run(folder, tmp_path / "maps.h5")
    with open_instance_maps(tmp_path / "maps.h5") as maps:
        assert maps.patch_ids == [row * 6 + column for row in range(3) for column in range(5)]
        assert not maps.read(4 + 6, SIDE_PX).data.size


def test_the_number_of_processes_changes_nothing(slide, tmp_path, monkeypatch):
    folder, _ = slide
    monkeypatch.setattr(segment, "_BATCH", 4)
    run(folder, tmp_path / "one.h5")
    run(folder, tmp_path / "two.h5", threads=2)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def supply(path, names, side_px=SIDE_PX):
    csr = scipy.sparse.csr_array(np.eye(side_px, dtype=np.int64) * 3)
    with h5py.File(path, "w") as file:
        for name in names:
            for part in ("data", "indices", "indptr"):
                file[f"{name}_{part}"] = getattr(csr, part)
            file[f"{name}_shape"] = np.array(csr.shape)


def test_supplied_maps_are_taken_over_and_missing_patches_stay_missing(slide, tmp_path, caplog):
    folder, _ = slide
    supply(tmp_path / "theirs.h5", ["skin_s1_0", "skin_s1_2", "skin_s1_5"])
    with caplog.at_level(logging.INFO):
        run(folder, tmp_path / "maps.h5", supplied=tmp_path / "theirs.h5")
    with h5py.File(tmp_path / "maps.h5") as file:
        assert file["2_data"].dtype == np.float32
        assert file.attrs["method"] == "supplied"
    with open_instance_maps(tmp_path / "maps.h5") as maps:
        assert maps.patch_ids == [0, 2]
        np.testing.assert_array_equal(maps.read(2, SIDE_PX).dense(), np.eye(SIDE_PX) * 3)
    assert "kept 2 of 3 maps: the others are of patches that overrun the image" in caplog.text
    assert "in 2 of 15 complete patches" in caplog.text


@pytest.mark.parametrize(
    ("names", "side_px", "expected"),
    [
        (["0"], 64, "expected a map of 128 x 128 px"),
        (["0", "24"], 128, "expected patches 0 to 23, found 24"),
    ],
)
def test_supplied_maps_of_another_grid_are_refused_and_nothing_is_left(
    slide, tmp_path, names, side_px, expected
):
    folder, _ = slide
    supply(tmp_path / "theirs.h5", names, side_px)
    with pytest.raises(InputError, match=expected):
        run(folder, tmp_path / "maps.h5", supplied=tmp_path / "theirs.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.h5"]
