"""The encoder of these tests has one token per 16 x 16 px: the mean colour there."""

import numpy as np
import pytest

from slides.two_slides import HEIGHT_PX, SIDE_PX, WIDTH_PX, open_nuclei, write_slide
from sthelar_build.io.token_stream import Encoder, Looks, nucleus_sums

BLOCK_PX = 16


def look(images):
    n, side = images.shape[:2]
    blocks = images.reshape(n, side // BLOCK_PX, BLOCK_PX, side // BLOCK_PX, BLOCK_PX, 3)
    tokens = blocks.mean(axis=(2, 4), dtype=np.float64).transpose(0, 3, 1, 2)
    return Looks(tokens.astype(np.float32), (images[..., 0] > 127).astype(np.uint8))


ENCODER = Encoder(look, SIDE_PX, 2)


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream") / "skin_s1"
    write_slide(folder, "skin_s1")
    with open_nuclei(folder) as slide:
        yield slide


def stream(slide, threads=1, patches=None):
    patches = slide.patches if patches is None else patches
    return list(
        nucleus_sums(slide.he, slide.masks, slide.appearances, patches, ENCODER, "mean", threads)
    )


def by_hand(slide):
    """Return token sums, pixels and type counts of every nucleus, patch by patch and nucleus by nucleus."""
    he, found = slide.he.read(0, 0, WIDTH_PX, HEIGHT_PX), {}
    for row in slide.patches[slide.patches.complete].itertuples():
        image = he[row.y_px : row.y_px + SIDE_PX, row.x_px : row.x_px + SIDE_PX]
        looks, drawn = look(image[None]), slide.masks.instances(row.patch_id)
        spread = looks.tokens[0].repeat(BLOCK_PX, 1).repeat(BLOCK_PX, 2)
        for i in np.unique(drawn[drawn > 0]):
            inside = drawn == i
            total, weight, types = found.get(i, (0, 0, 0))
            counts = np.bincount(looks.types[0][inside], minlength=2)
            found[i] = total + spread[:, inside].sum(1), weight + inside.sum(), types + counts
    return found


def test_every_nucleus_comes_once_and_equals_a_plain_loop(slide):
    parts, expected = stream(slide), by_hand(slide)
    ids = np.concatenate([part.nucleus_ids for part in parts])
    assert sorted(ids) == sorted(expected)
    for part in parts:
        for place, i in enumerate(part.nucleus_ids):
            total, weight, types = expected[i]
            np.testing.assert_allclose(part.features[place], total / weight, rtol=1e-5)
            assert part.type_px[place].tolist() == types.tolist()


def test_a_nucleus_comes_as_soon_as_its_last_row_of_the_grid_is_done(slide):
    parts = stream(slide)
    row = slide.appearances.patch_id // slide.masks.columns
    last = row.groupby(slide.appearances.nucleus_id).max()
    rows = [set(last.loc[part.nucleus_ids]) for part in parts]
    assert rows == [{0}, {1}, {2}]


def test_the_number_of_threads_changes_nothing(slide):
    for one, two in zip(stream(slide), stream(slide, threads=2), strict=True):
        for ours, theirs in zip(one, two, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_only_patches_with_nuclei_are_looked_at(slide):
    seen = []
    encoder = Encoder(lambda images: (seen.append(len(images)), look(images))[1], SIDE_PX, 2)
    list(nucleus_sums(slide.he, slide.masks, slide.appearances, slide.patches, encoder, "mean", 1))
    assert sum(seen) == slide.appearances.patch_id.nunique()


def test_a_slide_without_nuclei_gives_nothing(slide):
    none = slide.appearances.iloc[:0]
    assert not list(nucleus_sums(slide.he, slide.masks, none, slide.patches, ENCODER, "mean", 1))
