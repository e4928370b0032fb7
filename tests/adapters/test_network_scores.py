"""A network is compared with every patch, in order, the same with any number of threads."""

import numpy as np
import pytest

from slides import two_slides
from slides.colour_network import write_colour_network
from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.adapters.network_scores import Comparison, network_scores
from sthelar_build.core.model_classes import match_classes
from sthelar_build.io.patch_stream import patch_table
from sthelar_build.io.slide_patches import open_slide_patches


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network_scores")
    files = two_slides.write_slide(folder / "skin_s1", "skin_s1")
    checkpoint = open_checkpoint(write_colour_network(folder / "colours.pt"))
    table = patch_table(files.patches, files.masks, files.metrics)
    table = table[table.complete].head(11).assign(split="test")
    predictor = Predictor(checkpoint, "cpu", side_px=two_slides.SIDE_PX, batch_size=4)
    classes = match_classes(checkpoint.nuclei_types)
    codes = np.array([two_slides.class_of(i) for i in range(121)], dtype=np.uint8)
    return files, table, Comparison(predictor, 40, classes, codes)


def compared(made, threads):
    files, table, by = made
    with open_slide_patches(
        files.slide, "", two_slides.SIDE_PX, files.he, files.masks.parent
    ) as source:
        found = network_scores(source, table, by, threads)
        return [(patch.nucleus_ids, scores) for patch, scores in found]


def test_every_patch_comes_once_in_order_whatever_the_threads(made):
    one, three = compared(made, 1), compared(made, 3)
    assert [scores.patch_id for _, scores in one] == made[1].patch_id.tolist()
    for (_, mine), (_, theirs) in zip(one, three, strict=True):
        assert mine.agreement == theirs.agreement
        np.testing.assert_array_equal(mine.votes, theirs.votes)
        np.testing.assert_array_equal(mine.pq, theirs.pq)


def test_votes_are_those_of_the_type_map_in_our_codes(made):
    files, table, by = made
    with open_slide_patches(
        files.slide, "", two_slides.SIDE_PX, files.he, files.masks.parent
    ) as source:
        rows = [
            (patch.nucleus_ids, image, dense)
            for patch, (image, dense) in source.each(
                table, lambda p: (p.image.copy(), p.dense.copy()), 1
            )
        ]
    types = by.predictor(np.stack([image for _, image, _ in rows])).types
    for (ids, _, dense), seen, (found_ids, scores) in zip(
        rows, types, compared(made, 1), strict=True
    ):
        np.testing.assert_array_equal(ids, found_ids)
        for number in range(1, len(ids) + 1):
            pixels = np.bincount(seen[dense == number], minlength=3)
            expected = np.zeros(12, dtype=int)
            expected[[0, 10, 11]] = pixels
            np.testing.assert_array_equal(scores.votes[number - 1], expected)
