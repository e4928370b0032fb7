"""The stream of a slide through a network: in order, the same whatever the threads, on either path."""

import numpy as np
import pytest
import tifffile
import torch

from slides.colour_network import TYPES, painted, write_colour_network
from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.adapters.cellvit.slide_nuclei import network_facts, network_nuclei
from sthelar_build.core.predicted_maps import UNASSIGNED
from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.io.he_blocks import blocks
from sthelar_build.io.images.he import open_he
from sthelar_build.io.stopwatch import Stopwatch

SIDE_PX = 64
DISCS = [(20, 20, 11, 1), (42, 20, 11, 2), (100, 40, 12, 1), (160, 30, 11, 2)]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    path = write_colour_network(tmp_path_factory.mktemp("network") / "colours.pt")
    return Predictor(open_checkpoint(path), "cpu", side_px=SIDE_PX, batch_size=2)


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    path = tmp_path_factory.mktemp("slide") / "he.tif"
    pixels = painted(192, 128, DISCS)
    pixels[100:102, 100:102] = 0
    tifffile.imwrite(path, pixels, photometric="rgb")
    return path, patch_table(patch_grid(192, 128, 1.0, SIDE_PX, 0))


def stream(slide, predictor, threads):
    path, table = slide
    clock = Stopwatch()
    with open_he(path) as he:
        todo = blocks(table, SIDE_PX, 2)
        keep = lambda block, found: (block.chunk, found)  # noqa: E731
        arguments = he, SIDE_PX, predictor, 40, threads, clock, todo, keep
        done = list(network_nuclei(*arguments))
    assert set(clock.words(1).split()) >= {"reading", "network", "separating"}
    return done


def test_nuclei_come_patch_by_patch_in_order_with_their_type_and_place(slide, predictor):
    done = stream(slide, predictor, 1)
    assert [chunk for chunk, _ in done] == [0, 1, 0, 1]
    patches = [patch for _, found in done for patch in found]
    assert [patch.patch_id for patch in patches] == list(range(6))
    first = patches[0].nuclei
    assert first.type_index.tolist() == [1, 2]
    np.testing.assert_allclose(first.centroid_px, [[20.5, 20.5], [42.5, 20.5]], atol=0.3)
    assert [len(patch.nuclei.ids) for patch in patches] == [2, 1, 1, 0, 0, 0]


def test_what_is_too_small_to_be_a_nucleus_is_foreground(slide, predictor):
    patch = stream(slide, predictor, 1)[2][1][1]
    assert patch.patch_id == 4
    assert np.unique(patch.instances).tolist() == [0, UNASSIGNED]
    assert patch.nucleus_px == 4


class _Elsewhere:
    """The same predictor, as one that is not on the CPU."""

    device = torch.device("meta")

    def __init__(self, predictor):
        self.predict = predictor

    def __call__(self, images):
        return self.predict(images)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("wrap", [lambda p: p, _Elsewhere], ids=["cpu", "device"])
def test_threads_and_path_change_nothing(slide, predictor, threads, wrap):
    expected, found = stream(slide, predictor, 1), stream(slide, wrap(predictor), threads)
    for (_, ours), (_, theirs) in zip(expected, found, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one.instances, other.instances)
            for a, b in zip(one.nuclei, other.nuclei, strict=True):
                np.testing.assert_array_equal(a, b)


def test_the_facts_name_the_network(predictor):
    facts = network_facts(predictor.checkpoint)
    assert facts["nuclei_types"] == TYPES
    assert (facts["arch"], facts["magnification"]) == ("CellViT", 40)
    assert len(facts["sha256"]) == 64
