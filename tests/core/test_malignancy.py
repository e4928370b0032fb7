"""Which types are the tumour's, which are not, and which nobody can tell."""

import pytest

from sthelar_build.core.malignancy import malignancy
from sthelar_build.core.voting import as_tumour
from sthelar_build.schema.package_tables import package_rows
from sthelar_build.schema.vocabulary import FineLabel, find, key


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("mammary_luminal", "cancer_cell"),
        ("Melanoma", "cancer_cell"),
        ("malignant_epithelial", "cancer_cell"),
        ("Ovarian_cancer", "cancer_cell"),
        ("Leukemic_B_cell", "cancer_cell"),
        ("Proliferating_blast", "cancer_cell"),
        ("alveolar_type_II", "cancer_cell"),
        ("alveolar_type_I", "normal_cell"),
        ("AT1", "normal_cell"),
        ("Proliferating_basal_keratinocyte", "normal_cell"),
        ("cancer_associated_fibroblast", "normal_cell"),
        ("osteoblast", "normal_cell"),
        ("T_CD8", "normal_cell"),
        ("Melanocyte", None),
        ("Hepatocyte", None),
        ("Epithelial", None),
        ("Unknown", None),
    ],
)
def test_on_a_cancer_slide_the_type_says_what_it_can(label, expected):
    assert malignancy(find(label), "cancer").label3 == expected


@pytest.mark.parametrize("label", ["mammary_luminal", "Melanoma", "Hepatocyte", "Unknown"])
def test_nothing_is_a_tumour_on_a_normal_slide(label):
    assert malignancy(find(label), "normal") == ("normal_cell", "the slide is normal")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("malignant hepatocyte", "cancer_cell"),
        ("Normal hepatocytes", "normal_cell"),
        ("non-malignant mammary luminal", "normal_cell"),
        ("tumour hepatocyte", "cancer_cell"),
    ],
)
def test_the_words_of_the_reference_go_before_the_published_labels(label, expected):
    assert malignancy(FineLabel(label, "Epithelial", "Epithelial"), "cancer").label3 == expected


@pytest.mark.parametrize("class_name", ["Myeloid", "T_NK", "Blood_vessel"])
def test_what_lives_in_a_tumour_is_not_the_tumour(class_name):
    of_tumour = FineLabel("tumor-associated cell", class_name, class_name)
    assert malignancy(of_tumour, "cancer").label3 == "normal_cell"


def test_astrocytes_of_a_brain_tumour_are_the_tumour():
    assert malignancy(as_tumour(find("fibrous astrocyte")), "cancer").label3 == "cancer_cell"


def test_the_reason_names_the_words_and_who_says_so():
    assert malignancy(find("mammary_basal"), "cancer").reason == "published labels: mammary"
    assert malignancy(find("Melanoma"), "cancer").reason == "the label: melanoma"
    assert malignancy(find("Hepatocyte"), "cancer").reason == (
        "nothing tells tumour from normal Hepatocyte"
    )


def test_the_table_is_written_as_labels_are_compared():
    rows = package_rows("malignancy.csv")
    assert [row["words"] for row in rows] == [key(row["words"]) for row in rows]
    assert {row["side"] for row in rows} == {"cancer", "normal"}
    assert {row["where"] for row in rows} == {"anywhere", "origin", "Other"}
