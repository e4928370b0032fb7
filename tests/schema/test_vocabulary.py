"""Every spelling of a label that atlases use finds its class."""

import pytest

from sthelar_build.schema.labels import CLASSES
from sthelar_build.schema.vocabulary import exact, find, key, resolve, suggestion, vocabulary


def class_of(label):
    entry = find(label)
    return entry.class_name if entry else None


def test_every_label_has_a_class_of_the_schema():
    names = {cell_class.name for cell_class in CLASSES}
    assert {entry.class_name for entry in vocabulary().values()} == names


def test_no_two_rows_are_spellings_of_one_label():
    assert all(key(entry.label) == found for found, entry in vocabulary().items())
    assert len({entry.label for entry in vocabulary().values()}) == len(vocabulary())


@pytest.mark.parametrize(
    "label", ["CD8 T cells", "cd8_t_cell", "CD8+ T-cell", "CD8 T"], ids=lambda label: label
)
def test_spelling_does_not_matter(label):
    assert class_of(label) == "T_NK"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("APOE fibroblast", "Fibroblast_Myofibroblast"),
        ("LYVE1 macrophage", "Myeloid"),
        ("renal epithelial cell - proximal tubules", "Epithelial"),
        ("plasma", "B_Plasma"),
        ("lymphatic EC", "Blood_vessel"),
        ("ventricular cardiomyocyte", "Specialized"),
        ("Proliferating_leukemic_blast", "Other"),
        ("Osteoblast/Unknown", "Other"),
        ("Blood_vessel", "Blood_vessel"),
    ],
)
def test_labels_of_the_atlases_find_their_class(label, expected):
    assert class_of(label) == expected


def test_an_unlisted_qualifier_is_dropped_from_the_front():
    assert class_of("XYZ123+ pericytes") == "Blood_vessel"


def test_a_doublet_is_no_cell_type():
    assert class_of("T cell doublet") == "Other"


def test_cycling_at_the_end_does_not_make_a_cell_other():
    assert class_of("something cycling") is None


def test_nonsense_has_no_class_but_a_neighbour():
    assert class_of("Fibrablast") is None
    assert suggestion("Fibrablast") == "Fibroblast"


def test_a_label_map_goes_before_the_vocabulary():
    known, unknown = resolve(["T cell", "novel"], {"t CELLS": "Other", "novel": "Epithelial"})
    assert unknown == []
    assert known["T cell"].class_name == "Other"
    assert known["novel"].label1 == "Epithelial"


def test_labels_without_a_class_are_all_reported():
    known, unknown = resolve(["B cells", "qwert", "asdfg"])
    assert unknown == ["qwert", "asdfg"]
    assert known["B cells"].label == "B"


def test_only_whole_labels_count_as_exact():
    assert exact("APOE fibroblast").class_name == "Fibroblast_Myofibroblast"
    assert exact("XYZ fibroblast") is None
