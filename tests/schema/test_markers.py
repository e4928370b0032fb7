"""The marker table is well formed and speaks of every class."""

from collections import Counter

from sthelar_build.schema.labels import CLASSES
from sthelar_build.schema.markers import marker_types, types_of_tissue
from sthelar_build.schema.package_tables import package_rows
from sthelar_build.schema.vocabulary import find


def test_every_class_but_other_has_markers():
    expected = {cell_class.name for cell_class in CLASSES} - {"Other"}
    assert {kind.class_name for kind in marker_types()} == expected


def test_the_class_of_a_type_is_that_of_the_vocabulary():
    assert [k.label for k in marker_types() if find(k.label).class_name != k.class_name] == []


def test_every_type_has_enough_genes_and_none_twice():
    counts = Counter((row["label"], row["gene"]) for row in package_rows("markers.csv"))
    assert max(counts.values()) == 1
    assert min(len(kind.genes) for kind in marker_types()) >= 8


def test_every_row_names_its_source():
    assert all(row["source"] for row in package_rows("markers.csv"))


def test_an_organ_keeps_out_the_types_of_others():
    breast = {kind.label for kind in types_of_tissue("Breast")}
    assert {"mammary_luminal", "T_CD8", "Melanocyte"} <= breast
    assert not {"Hepatocyte", "podocyte", "Glioblastoma"} & breast


def test_an_unknown_tissue_may_hold_everything():
    assert len(types_of_tissue("Spaceship")) == len(marker_types())
