from pathlib import Path

import numpy as np
import pytest

from slides.image_models import TOKEN_DIM, TYPES, write_image_model, write_tiny_checkpoint
from slides.two_slides import SIDE_PX, UM_PER_PX, open_nuclei, write_slide
from sthelar_build.adapters.image_features import one_thread_a_call
from sthelar_build.adapters.nucleus_embedding import embedding_of
from sthelar_build.settings.embed import CellvitFeatures, EmbedSettings, TransformersFeatures


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedding") / "skin_s1"
    write_slide(folder, "skin_s1")
    with open_nuclei(folder) as slide:
        yield slide


@pytest.fixture(autouse=True)
def one_thread():
    with one_thread_a_call():
        yield


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    return write_image_model(tmp_path_factory.mktemp("vit") / "vit", "vit")


def transformers(**told):
    return TransformersFeatures(kind="transformers", folder=Path("vit"), **told)


def test_a_cellvit_network_sees_what_the_masks_show(slide, tmp_path):
    source = write_tiny_checkpoint(tmp_path / "tiny.pt")
    model = CellvitFeatures(kind="cellvit", checkpoint="tiny.pt")
    ready = embedding_of(slide, model, EmbedSettings(device="cpu"), source, 1)
    assert (ready.dim, ready.types) == (TOKEN_DIM, TYPES)
    assert ready.facts["network"]["arch"] == "CellViT"
    ids = np.concatenate([part.nucleus_ids for part in ready.found])
    assert sorted(ids) == slide.ids[ready.seen].tolist() == slide.ids[slide.drawn].tolist()


def test_squares_show_every_nucleus_on_the_image_and_are_as_large_as_a_patch(slide, vit):
    ready = embedding_of(slide, transformers(), EmbedSettings(device="cpu"), vit, 1)
    assert ready.facts == {"crop_um": SIDE_PX * UM_PER_PX}
    np.testing.assert_array_equal(ready.seen, slide.on_image)
    assert sum(len(part.nucleus_ids) for part in ready.found) == slide.on_image.sum()


def test_the_size_of_the_square_can_be_set_and_pooling_matters(slide, vit):
    def first(settings, **told):
        ready = embedding_of(slide, transformers(**told), settings, vit, 1)
        return next(ready.found).features[0]

    plain = first(EmbedSettings(device="cpu"))
    assert not np.allclose(plain, first(EmbedSettings(device="cpu", crop_um=4)), atol=1e-3)
    assert not np.allclose(plain, first(EmbedSettings(device="cpu"), pooling="mean"), atol=1e-3)


def test_in_patches_it_sees_what_the_masks_show(slide, vit):
    ready = embedding_of(slide, transformers(view="patch"), EmbedSettings(device="cpu"), vit, 1)
    np.testing.assert_array_equal(ready.seen, slide.drawn)
    assert ready.types == {}
