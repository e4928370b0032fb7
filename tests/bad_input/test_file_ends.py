"""The last bytes of a file are the ones that libraries lose without a word when the disk is full: every writer says so."""

import numpy as np
import pytest

from slides.full_disks import files_of_at_most
from sthelar_build.adapters.cellvit_training.networks import NetworkChoice, new_network
from sthelar_build.adapters.cellvit_training.weights import write_checkpoint
from sthelar_build.errors import machine_refusal
from sthelar_build.io.images.he import open_he
from sthelar_build.io.instance_maps import SparseMap, instance_map_writer
from sthelar_build.io.jpeg import write_jpeg
from sthelar_build.io.large_png import write_png
from sthelar_build.io.npz import npz_writer, write_npy
from sthelar_build.io.ome_tiff import write_ome_tiff
from sthelar_build.io.plain_pyramid import write_plain_pyramid

PIXELS = np.random.default_rng(0).integers(0, 256, (300, 310, 3), dtype=np.uint8)


def ome_tiff(compression):
    image = PIXELS[..., 0].astype(np.uint16) if compression == "jpeg2000" else PIXELS

    def write(path):
        write_ome_tiff(
            path, image, 0.25, channel_names=["one"], compression=compression, tile_px=128
        )

    return write


def pyramid(path):
    source = path.with_name("source.tif")
    if not source.exists():
        ome_tiff("deflate")(source)
    with open_he(source) as he:
        write_plain_pyramid(path, he, 0.25, threads=1)


def npy(path):
    with path.open("xb") as file:
        write_npy(file, PIXELS.dtype, PIXELS.shape, [PIXELS])


def npz(path):
    with npz_writer(path, deflate_level=1) as arrays:
        arrays.add("pixels", PIXELS.dtype, PIXELS.shape, [PIXELS])


def checkpoint(path):
    classes = {"Background": 0, "Round": 1}
    choice = NetworkChoice("small", 16, 4, 2, (4, 4, 4, 8, 8, 8, 4), shared_decoder=True)
    write_checkpoint(path, new_network(choice, classes, {"Skin": 0}, None, 1), {}, 1)


def instance_maps(path):
    instances = SparseMap.of(PIXELS[..., 0])
    with instance_map_writer(path, {}, "drawn") as maps:
        for patch_id in range(20):
            maps.write(patch_id, instances)


WRITERS = {
    **{f"OME-TIFF, {kind}": ome_tiff(kind) for kind in ("jpeg", "jpeg2000", "deflate")},
    "plain pyramid": pyramid,
    "large PNG": lambda path: write_png(path, 310, 300, [PIXELS], 0.25),
    "JPEG": lambda path: write_jpeg(path, PIXELS, quality=90),
    "npy": npy,
    "npz": npz,
    "instance maps": instance_maps,
    "checkpoint": checkpoint,
}


@pytest.mark.parametrize("share", [1, 0.5])
@pytest.mark.parametrize("missing", [1, 900])
@pytest.mark.parametrize("kind", WRITERS)
def test_a_disk_that_is_full_half_way_or_at_the_very_end_is_noticed(tmp_path, kind, missing, share):
    WRITERS[kind](tmp_path / "whole")
    n_bytes = int((tmp_path / "whole").stat().st_size * share)
    with files_of_at_most(n_bytes - missing), pytest.raises(Exception, match=r".") as error:
        WRITERS[kind](tmp_path / "cut")
    assert machine_refusal(error.value) is not None, error.value
