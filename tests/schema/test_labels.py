"""The class table is well formed, and frozen."""

from sthelar_build.schema.labels import (
    CLASSES,
    GROUPED_CLASSES,
    OTHER,
    PATCH_CLASSES,
    class_named,
    patch_class_index,
)


def test_indices_run_from_1_without_a_gap():
    assert [c.index for c in CLASSES] == list(range(1, 11))
    assert [c.index for c in PATCH_CLASSES] == list(range(1, 10))


def test_the_published_order_does_not_move():
    assert [c.name for c in PATCH_CLASSES] == [
        "T_NK", "B_Plasma", "Myeloid", "Blood_vessel", "Fibroblast_Myofibroblast", "Epithelial",
        "Specialized", "Melanocyte", "Other",
    ]  # fmt: skip


def test_names_and_colours_are_told_apart():
    assert len({c.name for c in CLASSES}) == len({c.colour for c in CLASSES}) == 10


def test_glioblastoma_is_published_as_other():
    assert patch_class_index("Glioblastoma") == patch_class_index(OTHER) == 9


def test_every_class_has_a_published_class_and_a_group():
    for cell_class in CLASSES:
        assert class_named(cell_class.patch_class) in PATCH_CLASSES
        assert cell_class.grouped in GROUPED_CLASSES
