import re

import numpy as np
import pytest

from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.programmes import (
    SHARED,
    ensembl_ids,
    programme_table,
    programmes,
)
from sthelar_build.schema.labels import class_named
from sthelar_build.schema.vocabulary import find

LABELS = ("B", "Endothelial", "mammary_luminal", "Adipocyte")


def made(n_genes):
    return programmes(np.random.default_rng(0), LABELS, n_genes)


def test_every_type_is_in_the_vocabulary_under_its_class():
    table = programme_table()
    types = table[table["fine_label"] != SHARED].drop_duplicates("fine_label")
    for row in types.itertuples():
        entry = find(row.fine_label)
        assert entry is not None
        assert entry.label == row.fine_label
        assert entry.class_name == row.class_name == class_named(row.class_name).name


def test_every_type_with_a_shape_has_a_programme():
    assert set(cell_types().index) < set(programme_table()["fine_label"])


def test_no_gene_stands_twice_in_a_programme():
    assert not programme_table().duplicated(["fine_label", "gene"]).any()


def test_gene_ids_are_unique_and_invented_ones_can_be_told():
    ids = ensembl_ids()
    assert len(set(ids.values())) == len(ids)
    assert all(re.fullmatch(r"ENSG\d{11}", value) for value in ids.values())
    assert ids["CD3E"] == "ENSG00000198851"
    assert sum(value.startswith("ENSG9") for value in ids.values()) < len(ids)


def test_a_small_panel_has_markers_of_every_type():
    genes = set(made(24).genes)
    table = programme_table()
    for label in LABELS:
        assert len(genes & set(table.loc[table["fine_label"] == label, "gene"])) >= 3


def test_a_large_panel_is_filled_with_invented_genes_that_no_type_prefers():
    table = made(400)
    invented = [number for number, gene in enumerate(table.genes) if gene.startswith("SIM")]
    assert len(set(table.genes)) == len(set(table.gene_ids)) == 400
    levels = table.profile[:, invented].sum(axis=1)
    assert levels.max() < 1.5 * levels.min()


def test_profiles_sum_to_one_and_markers_stand_out():
    table = made(150)
    assert table.profile.sum(axis=1) == pytest.approx(np.ones(4))
    column = table.profile[:, table.genes.index("MS4A1")]
    assert column[0] > 20 * column[1:].max()


def test_the_first_genes_alone_sum_to_one_again():
    part = made(150).first(30)
    assert part.genes == made(150).genes[:30]
    assert part.profile.sum(axis=1) == pytest.approx(np.ones(4))
