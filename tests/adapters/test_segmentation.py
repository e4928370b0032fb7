"""Every method is opened with the files it needs, and says which patches it leaves out and why."""

import logging
from itertools import chain

import numpy as np
import pytest
import tifffile

from slides.colour_network import painted, write_colour_network
from sthelar_build.adapters.segmentation import Job, open_method
from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.errors import ConfigError
from sthelar_build.io.he_blocks import blocks
from sthelar_build.io.instance_maps import SparseMap, instance_map_writer
from sthelar_build.io.stopwatch import Stopwatch
from sthelar_build.settings.segment import SegmentSettings

SIDE_PX = 64
CELLVIT = {"method": "cellvit", "checkpoint": "colours.pt", "device": "cpu"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three patches: a disc, bare glass, and one that overruns the image."""
    folder = tmp_path_factory.mktemp("methods")
    pixels = painted(160, 64, [(30, 30, 12, 1)])
    tifffile.imwrite(folder / "he.tif", pixels, photometric="rgb")
    write_colour_network(folder / "colours.pt")
    with instance_map_writer(folder / "theirs.h5", {}, "theirs") as writer:
        writer.write(1, SparseMap.of(np.eye(SIDE_PX, dtype=int)))
    return folder


def job(um_per_px=0.25, **settings):
    table = patch_table(patch_grid(160, 64, 1.0, SIDE_PX, 0))
    table = table.assign(tissue_fraction=np.array([0.3, 0, 1]))
    return Job(table, SIDE_PX, um_per_px, SegmentSettings(**settings), 1, Stopwatch())


def found(folder, of, checkpoint=None, supplied=None):
    """Return method, reasons, and the number of nuclei in the patches that it wants."""
    with open_method(of, folder / "he.tif", checkpoint, supplied, "s") as method:
        wanted = of.table[method.reasons.isna().to_numpy()]
        keep = lambda block, patches: [len(patch.nuclei.ids) for patch in patches]  # noqa: E731
        counts = list(chain.from_iterable(method.each(blocks(wanted, SIDE_PX, 4), keep)))
    return method, method.reasons.tolist(), counts


STAIN = {"method": "haematoxylin"}


@pytest.mark.parametrize("settings", [STAIN, CELLVIT])
def test_methods_that_look_at_the_image_leave_out_glass_and_what_overruns_it(folder, settings):
    method, reasons, counts = found(folder, job(**settings), folder / "colours.pt")
    assert method.name == settings["method"]
    assert reasons == [None, "no_tissue", "outside"]
    assert counts == [1]


def test_by_itself_a_network_is_taken_where_there_is_one_and_the_stain_elsewhere(folder):
    assert found(folder, job(), folder / "colours.pt")[0].name == "cellvit"
    assert found(folder, job())[0].name == "haematoxylin"


def test_more_tissue_may_be_asked_for(folder):
    assert found(folder, job(min_tissue=0.3))[1] == ["no_tissue", "no_tissue", "outside"]


def test_supplied_maps_come_first_and_are_taken_whatever_the_tissue(folder):
    method, reasons, counts = found(
        folder, job(**CELLVIT), folder / "colours.pt", folder / "theirs.h5"
    )
    assert (method.name, method.facts["network"]) == ("supplied", None)
    assert reasons == ["not_run", None, "outside"]
    assert counts == [1]


def test_a_network_needs_a_file(folder):
    with pytest.raises(ConfigError, match="--checkpoint: expected the file of a network"):
        found(folder, job(**CELLVIT))


@pytest.mark.parametrize(
    ("um_per_px", "wanted", "used", "warned"),
    [(0.25, "auto", 40, False), (0.5, "auto", 20, True), (0.5, "40", 40, False), (0.25, "20", 20, True)],
)  # fmt: skip
def test_the_magnification_is_the_nearest_or_as_asked_and_another_is_warned_about(
    folder, caplog, um_per_px, wanted, used, warned
):
    of = job(um_per_px, **CELLVIT, magnification=wanted)
    with caplog.at_level(logging.WARNING):
        method, _, _ = found(folder, of, folder / "colours.pt")
    assert method.facts["magnification"] == used
    assert method.facts["network"]["magnification"] == 40
    assert ("trained at 40x, used at 20x" in caplog.text) == warned
