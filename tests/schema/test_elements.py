"""The names inside the zarr are those that users of the published set know."""

from sthelar_build.schema import elements


def test_published_names_do_not_move():
    assert (elements.HE_IMAGE, elements.MORPHOLOGY_IMAGE, elements.TRANSCRIPT_POINTS) == (
        "he",
        "morpho",
        "st",
    )
    assert elements.NUCLEUS_SHAPES == "nucleus_boundaries"
    assert elements.CELL_SHAPES == "cell_boundaries"
    assert elements.PATCH_SHAPES == "he_patches"
    assert elements.COUNT_LAYER == "count"


def test_the_patches_of_the_first_scale_have_the_plain_name():
    assert elements.patch_shapes_names(["40x", "20x"]) == ["he_patches", "he_patches_20x"]
    assert elements.patch_shapes_names([]) == []


def test_features_are_named_after_their_model_as_published():
    names = [elements.features_table_name(m) for m in ("cellvit", "phikonv2", "vit_google")]
    assert names == ["features_cellvit", "features_phikonv2", "features_vit_google"]
