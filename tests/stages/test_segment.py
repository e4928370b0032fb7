"""Segment: drawn nuclei are found by every method, in one go, in shards, or after a kill; supplied maps are taken over or refused."""

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import scipy.sparse
import tifffile

from slides.colour_network import TYPES, painted, write_colour_network
from sthelar_build.core.predicted_maps import UNASSIGNED
from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io import map_chunks
from sthelar_build.io.instance_maps import open_instance_maps
from sthelar_build.io.predictions import open_predictions
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import PATCHES
from sthelar_build.settings.gather_predictions import GatherPredictionsSettings
from sthelar_build.settings.segment import SegmentSettings
from sthelar_build.stages import gather_predictions, segment

UM_PER_PX, SIDE_PX = 0.25, 128
EOSIN, HAEMATOXYLIN = (230, 150, 190), (90, 60, 140)
DISCS = [
    (x, y, 11 + (x + y) % 3, 1 + (x // 30 + y // 30) % 2)
    for x in range(20, 480, 40)
    for y in range(20, 400, 40)
]


def write_slide(folder, pixels):
    """Write a slide of 600 x 400 px, with patches at two scales; the last column but one shows no tissue."""
    tifffile.imwrite(folder / "he.tif", pixels, photometric="rgb", tile=(128, 128))
    for name, downsample in (("40x", 1.0), ("20x", 2.0)):
        grid = patch_grid(600, 400, downsample, SIDE_PX, 32)
        table = patch_table(grid)
        tissue = np.where(table.grid_column == 4, 0, 1).astype(np.float32)
        table = table.assign(
            tissue_fraction=tissue, covered_fraction=np.float32(1), blur_um=np.float32(0.6)
        )
        facts = {
            "um_per_px": UM_PER_PX * downsample, "side_px": SIDE_PX, "rows": grid.rows, "columns": grid.columns,
        }  # fmt: skip
        write_table(folder / f"patches_{name}.parquet", table, PATCHES, {}, facts)


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    """Pink tissue with a violet disc of 4 um radius every 60 px, none right of x = 370."""
    folder = tmp_path_factory.mktemp("segment")
    y, x = np.mgrid[:400, :600]
    disc = ((x % 60 - 30) ** 2 + (y % 60 - 30) ** 2 < 16**2) & (x < 370)
    image = np.where(disc[..., None], HAEMATOXYLIN, EOSIN)
    noise = np.random.default_rng(0).integers(-12, 13, image.shape)
    write_slide(folder, np.clip(image + noise, 0, 255).astype(np.uint8))
    return folder, disc


@pytest.fixture(scope="module")
def painted_slide(tmp_path_factory):
    """Discs that the colour network reads; one pixel of a nucleus too small to be one."""
    folder = tmp_path_factory.mktemp("painted")
    pixels = painted(600, 400, DISCS)
    pixels[2:4, 2:4] = 0
    write_slide(folder, pixels)
    write_colour_network(folder / "colours.pt")
    return folder


def run(folder, out, scale="40x", settings=None, **arguments):
    segment.run(
        he=folder / "he.tif",
        patches=folder / f"patches_{scale}.parquet",
        predictions=out,
        instance_maps=out.with_suffix(".h5"),
        settings=settings or SegmentSettings(),
        **arguments,
    )
    return open_predictions(out)


def run_network(folder, out, scale="40x", **arguments):
    settings = SegmentSettings(method="cellvit", checkpoint="colours.pt", device="cpu")
    return run(folder, out, scale, settings, checkpoint=folder / "colours.pt", **arguments)


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def expected(left, top, step=1):
    """Return the type of every pixel of a patch."""
    types = np.zeros((400, 600), np.uint8)
    y, x = np.mgrid[:400, :600]
    for centre_x, centre_y, radius, kind in DISCS:
        types[(x - centre_x) ** 2 + (y - centre_y) ** 2 < radius**2] = kind
    return types[top : top + SIDE_PX * step : step, left : left + SIDE_PX * step : step]


@pytest.mark.parametrize(("scale", "step"), [("40x", 1), ("20x", 2)])
def test_stained_nuclei_are_found(slide, tmp_path, scale, step):
    folder, disc = slide
    found = run(folder, tmp_path / "found", scale)
    true = disc[: SIDE_PX * step : step, : SIDE_PX * step : step]
    nuclei = found.instances(0)
    assert ((nuclei > 0) & true).sum() / ((nuclei > 0) | true).sum() > 0.8
    assert (found.method, found.manifest["network"]) == ("haematoxylin", None)
    table = found.nuclei_between(0, 1)
    assert table["instance_id"].tolist() == np.unique(nuclei[nuclei > 0]).tolist()
    assert table["type_index"].isna().all()


def test_the_network_finds_every_nucleus_and_its_type(painted_slide, tmp_path):
    found = run_network(painted_slide, tmp_path / "found")
    types = expected(0, 0)
    instances = found.instances(0)
    nuclei = found.nuclei_between(0, 1).set_index("instance_id")
    np.testing.assert_array_equal((instances > 0)[4:], (types > 0)[4:])
    assert len(nuclei) == 9
    for x, y, _, kind in [disc for disc in DISCS if max(disc[:2]) < 110]:
        nucleus = nuclei.loc[instances[y, x]]
        assert nucleus["type_index"] == kind
        assert abs(nucleus["x_px"] - (x + 0.5)) < 0.6
        assert abs(nucleus["y_px"] - (y + 0.5)) < 0.6
        assert nucleus["left_px"] <= x < nucleus["right_px"]


def test_what_is_no_instance_is_still_foreground_but_not_in_the_published_layout(
    painted_slide, tmp_path
):
    found = run_network(painted_slide, tmp_path / "found")
    assert (found.instances(0)[2:4, 2:4] == UNASSIGNED).all()
    with open_instance_maps(tmp_path / "found.h5") as maps:
        assert maps.method == "cellvit"
        published = maps.read(0, SIDE_PX).dense()
    assert not published[2:4, 2:4].any()
    np.testing.assert_array_equal(published[4:], found.instances(0)[4:])


def test_the_manifest_tells_the_network_and_counts(painted_slide, tmp_path):
    found = run_network(painted_slide, tmp_path / "found").manifest
    assert found["network"]["nuclei_types"] == TYPES
    assert found["network"]["sha256"] == found["provenance"]["inputs"]["checkpoint"]["sha256"]
    assert found["magnification"] == 40
    assert [one["device"] for one in found["ran_on"]] == ["cpu"]
    assert found["not_segmented"] == {"outside": 9, "no_tissue": 3, "not_run": 0}
    assert found["n_segmented"] == 12
    assert found["n_nuclei"] == sum(found["nuclei_per_type"].values()) > 100
    assert found["nuclei_per_type"]["Background"] == 0


def test_another_magnification_than_the_checkpoint_s_is_warned_about(
    painted_slide, tmp_path, caplog
):
    found = run_network(painted_slide, tmp_path / "found", "20x")
    assert "trained at 40x, used at 20x (0.500 um per px)" in caplog.text
    assert found.manifest["magnification"] == 20


def test_patches_outside_or_without_tissue_are_not_segmented_and_say_so(painted_slide, tmp_path):
    patches = run_network(painted_slide, tmp_path / "found").patches
    by_reason = {reason: set(ids) for reason, ids in patches.groupby("reason").patch_id}
    assert by_reason["no_tissue"] == {4, 10, 16}
    assert by_reason["outside"] == {5, 11, 17, *range(18, 24)}
    with open_instance_maps(tmp_path / "found.h5") as maps:
        assert maps.patch_ids == patches.patch_id[patches.reason.isna()].tolist()


def test_a_slide_without_any_tissue_has_empty_predictions(painted_slide, tmp_path):
    settings = SegmentSettings(min_tissue=1)
    found = run(painted_slide, tmp_path / "found", settings=settings)
    assert found.manifest["n_segmented"] == 0
    assert found.nuclei_between(0, 24).empty


@pytest.fixture
def narrow_chunks(monkeypatch):
    monkeypatch.setattr(map_chunks, "_MOST_COLUMNS", 2)


@pytest.mark.parametrize("method", [run, run_network])
@pytest.mark.usefixtures("narrow_chunks")
def test_the_number_of_threads_changes_nothing(painted_slide, tmp_path, method):
    for name, threads in (("one", 1), ("three", 3)):
        (tmp_path / name).mkdir()
        method(painted_slide, tmp_path / name / "found", threads=threads)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


@pytest.mark.parametrize("n_shards", [2, 7])
def test_shards_make_what_one_job_makes(painted_slide, tmp_path, n_shards):
    run_network(painted_slide, tmp_path / "whole")
    shards = []
    for number in range(1, n_shards + 1):
        run_network(painted_slide, tmp_path / "shards" / f"{number}", shard=f"{number}/{n_shards}")
        shards.append(tmp_path / "shards" / f"{number}")
    gather_predictions.run(
        patches=painted_slide / "patches_40x.parquet",
        shard=shards[::-1],
        predictions=tmp_path / "gathered",
        instance_maps=tmp_path / "gathered.h5",
        settings=GatherPredictionsSettings(),
    )
    assert contents(tmp_path / "gathered") == contents(tmp_path / "whole")
    assert (tmp_path / "gathered.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


SLOW = """
import sys, time
from sthelar_build.io.prediction_rows import PredictionRows
from sthelar_build.cli import main
finish = PredictionRows.finish_row
def slowly(*arguments):
    finish(*arguments)
    time.sleep(1)
PredictionRows.finish_row = slowly
main()
"""


def test_a_killed_job_is_taken_up_again_and_leaves_no_trace(painted_slide, tmp_path, caplog):
    """The process sleeps after each row, so that the kill comes half-way; nothing else of it is changed."""
    whole = run_network(painted_slide, tmp_path / "whole" / "found").folder
    settings = {"method": "cellvit", "checkpoint": "colours.pt", "device": "cpu"}
    out = tmp_path / "killed" / "found"
    options = {
        "--he": painted_slide / "he.tif", "--patches": painted_slide / "patches_40x.parquet",
        "--predictions": out, "--instance-maps": out.with_suffix(".h5"),
        "--checkpoint": painted_slide / "colours.pt", "--settings": json.dumps(settings),
    }  # fmt: skip
    words = [str(word) for pair in options.items() for word in pair]
    log = tmp_path / "errors.log"
    started = time.monotonic()
    with (
        log.open("w") as errors,
        subprocess.Popen([sys.executable, "-c", SLOW, "segment", *words], stderr=errors) as process,
    ):
        while not list(out.parent.glob(".found.*/rows/000001.patches.parquet")):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() - started < 120
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert not out.exists()

    (tmp_path / "killed" / ".found.unfinished-of-other-settings").mkdir()
    (tmp_path / "killed" / ".found.unfinished-of-other-settings" / "busy").touch()
    with caplog.at_level(logging.INFO):
        run_network(painted_slide, out)
    assert "2 of 4 rows of patches were finished before" in caplog.text
    assert contents(out.parent) == contents(whole.parent)


def test_after_a_full_disk_the_next_run_goes_on_and_makes_the_same(painted_slide, tmp_path, caplog):
    """The disk is full when the maps in the published layout, the largest file, are written."""
    whole = run(painted_slide, tmp_path / "whole" / "found").folder
    out = tmp_path / "full" / "found"
    options = {
        "--he": painted_slide / "he.tif", "--patches": painted_slide / "patches_40x.parquet",
        "--predictions": out, "--instance-maps": out.with_suffix(".h5"), "--settings": "{}",
    }  # fmt: skip
    words = [str(word) for pair in options.items() for word in pair]
    limit = whole.with_suffix(".h5").stat().st_size // 2
    done = subprocess.run(
        [sys.executable, "-m", "sthelar_build", "segment", *words],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1, done.stderr
    (kept,) = out.parent.iterdir()
    said = done.stderr.splitlines()[-1]
    assert said.startswith("error: ")
    assert f"what is done is kept in {kept}, and the next run goes on from there" in said
    assert "Traceback" not in done.stderr

    with caplog.at_level(logging.INFO):
        run(painted_slide, out)
    assert "4 of 4 rows of patches were finished before" in caplog.text
    assert contents(out.parent) == contents(whole.parent)


def test_a_method_without_its_checkpoint_is_refused(painted_slide, tmp_path):
    settings = SegmentSettings(method="cellvit", checkpoint="colours.pt")
    with pytest.raises(ConfigError, match="--checkpoint: expected the file of a network"):
        run(painted_slide, tmp_path / "found", settings=settings)
    # Not the stain in its place, in silence.
    settings = SegmentSettings(checkpoint="colours.pt")
    with pytest.raises(ConfigError, match="--checkpoint: expected the file of a network"):
        run(painted_slide, tmp_path / "found", settings=settings)
    with pytest.raises(ValueError, match="expected a checkpoint with method cellvit"):
        SegmentSettings(method="cellvit")


def supply(path, names, side_px=SIDE_PX):
    csr = scipy.sparse.csr_array(np.eye(side_px, dtype=np.int64) * 3)
    with h5py.File(path, "w") as file:
        for name in names:
            for part in ("data", "indices", "indptr"):
                file[f"{name}_{part}"] = getattr(csr, part)
            file[f"{name}_shape"] = np.array(csr.shape)


def test_supplied_maps_are_taken_over_and_missing_patches_stay_missing(slide, tmp_path, caplog):
    folder, _ = slide
    supply(tmp_path / "theirs.h5", ["skin_s1_0", "skin_s1_2", "skin_s1_4", "skin_s1_5"])
    with caplog.at_level(logging.INFO):
        found = run(folder, tmp_path / "found", supplied=tmp_path / "theirs.h5")
    with h5py.File(tmp_path / "found.h5") as file:
        assert file["2_data"].dtype == np.float32
        assert file.attrs["method"] == "supplied"
    with open_instance_maps(tmp_path / "found.h5") as maps:
        assert maps.patch_ids == [0, 2, 4]
        np.testing.assert_array_equal(maps.read(2, SIDE_PX).dense(), np.eye(SIDE_PX) * 3)
    assert found.nuclei_between(2, 3)[["instance_id", "x_px", "y_px"]].values.tolist() == [
        [3, 64, 64]
    ]
    assert found.manifest["not_segmented"] == {"outside": 9, "no_tissue": 0, "not_run": 12}
    assert "kept 3 of 4 maps: the others are of patches that overrun the image" in caplog.text


@pytest.mark.parametrize(
    ("names", "side_px", "problem"),
    [
        (["0"], 64, "expected a map of 128 x 128 px"),
        (["0", "24"], 128, "expected patches 0 to 23, found 24"),
    ],
)
def test_supplied_maps_of_another_grid_are_refused_and_nothing_is_left(
    slide, tmp_path, names, side_px, problem
):
    folder, _ = slide
    supply(tmp_path / "theirs.h5", names, side_px)
    with pytest.raises(InputError, match=problem):
        run(folder, tmp_path / "found", supplied=tmp_path / "theirs.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.h5"]
