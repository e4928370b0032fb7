import pytest

from sthelar_build.adapters.cellvit.architecture import Widths, architecture_of, published_widths
from sthelar_build.errors import InputError


def test_the_published_network_of_256_needs_no_config():
    found = architecture_of("CellViT256", {}, {}, "file")
    assert (found.embed_dim, found.depth, found.heads) == (384, 12, 6)
    assert found.skip_blocks == (3, 6, 9, 12)
    assert (found.n_nuclei, found.n_tissues, found.regression) == (6, 19, False)


@pytest.mark.parametrize(
    ("backbone", "embed_dim", "depth", "skips", "everywhere"),
    [
        ("SAM-B", 768, 12, (3, 6, 9, 12), (2, 5, 8, 11)),
        ("SAM-L", 1024, 24, (6, 12, 18, 24), (5, 11, 17, 23)),
        ("SAM-H", 1280, 32, (8, 16, 24, 32), (7, 15, 23, 31)),
    ],
)
def test_a_sam_network_is_told_by_its_backbone_or_by_its_width(
    backbone, embed_dim, depth, skips, everywhere
):
    named = architecture_of("CellViTSAM", {"model": {"backbone": backbone}}, {}, "file")
    shapes = {"encoder.pos_embed": (1, 64, 64, embed_dim)}
    assert architecture_of("CellViTSAM", {}, shapes, "file") == named
    assert (named.embed_dim, named.depth) == (embed_dim, depth)
    assert (named.skip_blocks, named.global_blocks) == (skips, everywhere)


def test_classes_tissues_and_the_regression_map_are_read_from_the_shapes_without_a_config():
    branch = "decoder0_header.2.weight"
    shapes = {
        f"nuclei_type_maps_decoder.{branch}": (10, 64, 1, 1),
        f"nuclei_binary_map_decoder.{branch}": (4, 64, 1, 1),
        "encoder.head.weight": (3, 384),
    }
    found = architecture_of("CellViT256", {}, shapes, "file")
    assert (found.n_nuclei, found.n_tissues, found.regression) == (10, 3, True)


def test_the_config_outweighs_the_shapes_so_that_a_difference_is_found_later():
    config = {"data": {"num_nuclei_classes": 6}}
    shapes = {"nuclei_type_maps_decoder.weight": (10, 64, 1, 1)}
    assert architecture_of("CellViT256Shared", config, shapes, "file").n_nuclei == 6


def test_a_network_of_free_size_takes_width_and_depth_from_the_shapes_but_must_name_its_heads():
    shapes = {"encoder.pos_embed": (1, 197, 64)} | {
        f"encoder.blocks.{i}.norm1.bias": (64,) for i in range(4)
    }
    model = {"num_heads": 2, "extract_layers": [1, 2, 3, 4]}
    found = architecture_of("CellViT", {"model": model}, shapes, "file")
    assert (found.embed_dim, found.depth, found.heads) == (64, 4, 2)
    with pytest.raises(InputError, match=r"file: expected model\.num_heads in its config"):
        architecture_of("CellViT", {"model": {"extract_layers": [1, 2, 3, 4]}}, shapes, "file")


def test_an_unknown_architecture_is_refused_with_those_known():
    with pytest.raises(
        InputError, match=r"^file: expected an arch out of CellViT, .*, found 'UNet'$"
    ):
        architecture_of("UNet", {}, {}, "file")


def test_an_unknown_backbone_is_refused_with_those_known():
    with pytest.raises(InputError, match="out of SAM-B, SAM-L, SAM-H, found 'SAM-X'"):
        architecture_of("CellViTSAM", {"model": {"backbone": "SAM-X"}}, {}, "file")


@pytest.mark.parametrize(
    "model", [{"extract_layers": [1, 2]}, {"decoder_widths": [1]}, {"embed_dim": "wide"}]
)
def test_a_config_that_cannot_be_used_is_refused(model):
    model = {"embed_dim": 8, "depth": 4, "num_heads": 2, "extract_layers": [1, 2, 3, 4]} | model
    with pytest.raises(InputError, match=r"file: its config.* cannot be used"):
        architecture_of("CellViT", {"model": model}, {}, "file")


def test_decoders_are_wider_behind_a_wide_encoder():
    assert published_widths(384) == Widths(32, 64, 128, 256, 312, 256, 128)
    assert published_widths(512) == Widths(32, 64, 128, 256, 512, 512, 256)


def test_divided_widths_stay_at_least_one():
    assert Widths(32, 64, 128, 256, 312, 256, 128).divided(100) == (1, 1, 1, 2, 3, 2, 1)
