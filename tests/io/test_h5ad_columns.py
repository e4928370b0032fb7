"""Columns of obs and var in the encodings of every anndata."""

import h5py
import numpy as np
import pandas as pd
import pytest

from slides import atlases
from sthelar_build.io.h5ad_columns import column_names, n_rows, read_codes, text_columns


def codes_of(path, name="ct"):
    with h5py.File(path) as file:
        codes, labels = read_codes(file, file["obs"], name)
    return codes.tolist(), labels


def with_column(tmp_path, values):
    found = atlases.table()
    found.obs["ct"] = values
    return atlases.write(tmp_path, found)


T_AND_B = ([1, 1, 0, 0, 1, 0], ["B", "T"])


def test_categories_are_numbered_by_name(tmp_path):
    assert codes_of(atlases.write(tmp_path)) == T_AND_B


def test_plain_text_is_numbered_alike(tmp_path):
    assert codes_of(with_column(tmp_path, atlases.TYPES)) == T_AND_B


def test_the_categories_of_anndata_0_7_are_read(tmp_path):
    path = atlases.write(tmp_path)
    atlases.with_old_categories(path)
    assert codes_of(path) == T_AND_B
    with h5py.File(path) as file:
        assert column_names(file["obs"]) == ["ct"]


def test_compound_tables_of_the_first_anndata_are_read(tmp_path):
    path = atlases.write_legacy(tmp_path)
    assert codes_of(path) == T_AND_B
    with h5py.File(path) as file:
        assert column_names(file["obs"]) == ["ct"]
        assert text_columns(file, file["var"]) == {
            "index": atlases.SYMBOLS,
            "gene_ids": atlases.IDS,
        }


def test_categories_that_no_cell_has_are_left_out(tmp_path):
    values = pd.Categorical(atlases.TYPES, categories=["T", "Mast", "B"])
    assert codes_of(with_column(tmp_path, values)) == T_AND_B


@pytest.mark.parametrize(
    "values",
    [
        pd.Categorical(["T", None, "B", None, "T", None]),
        ["T", "nan", "B", "", "T", "None"],
        pd.Categorical(["T", "nan", "B", "NaN", "T", ""]),
        pd.array(["T", None, "B", None, "T", None], dtype="string"),
    ],
    ids=["categorical", "text", "categories", "nullable"],
)
def test_missing_labels_have_no_number(tmp_path, values):
    assert codes_of(with_column(tmp_path, values)) == ([1, -1, 0, -1, 1, -1], ["B", "T"])


def test_numbers_are_labels_too(tmp_path):
    assert codes_of(with_column(tmp_path, [3, 3, 10, 10, 3, 10])) == (
        [1, 1, 0, 0, 1, 0],
        ["10", "3"],
    )


def test_only_missing_labels_are_none(tmp_path):
    assert codes_of(with_column(tmp_path, pd.Categorical([None] * 6))) == ([-1] * 6, [])


def test_text_columns_are_the_index_and_all_that_is_text(tmp_path):
    found = atlases.table(
        gene_ids=atlases.IDS,
        kind=pd.Categorical(["a", None, "b", "a"]),
        mean=[0.5, 1, 2, 3],
        chosen=[True, False, True, True],
    )
    with h5py.File(atlases.write(tmp_path, found)) as file:
        assert text_columns(file, file["var"]) == {
            "index": atlases.SYMBOLS,
            "gene_ids": atlases.IDS,
            "kind": ["a", "", "b", "a"],
        }


def test_the_index_is_found_whatever_the_file_calls_it(tmp_path):
    found = atlases.table()
    found.var.index.name = "ensembl"
    path = atlases.write(tmp_path, found)
    with h5py.File(path) as file:
        assert "ensembl" in file["var"]
        assert column_names(file["var"]) == []
        assert text_columns(file, file["var"]) == {"index": atlases.SYMBOLS}


@pytest.mark.parametrize("write", [atlases.write, atlases.write_legacy])
def test_rows_are_counted_without_reading(tmp_path, write):
    with h5py.File(write(tmp_path)) as file:
        assert (n_rows(file["obs"]), n_rows(file["var"])) == (6, 4)


def test_codes_are_small_and_signed(tmp_path):
    with h5py.File(atlases.write(tmp_path)) as file:
        assert read_codes(file, file["obs"], "ct")[0].dtype == np.int32
