"""Scores survive the disk, nulls included."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from sthelar_build.core.scores import Scores
from sthelar_build.core.transfer import Transfer
from sthelar_build.errors import InputError
from sthelar_build.io.scores import read_scores, read_transfer, write_scores
from sthelar_build.io.tables import read_attributes

SHARES = np.array([[0.25, 0.75], [np.nan, np.nan]], dtype=np.float32)


def test_scores_come_back_and_missing_ones_are_null(tmp_path):
    path = tmp_path / "tangram.parquet"
    ids = np.array([1, 4294967295], dtype=np.uint32)
    write_scores(
        path,
        Scores("nucleus_id", ids, ["T", "a/b"], SHARES),
        {"T": "T_NK", "a/b": "Other"},
        {"stage": "annotate"},
    )
    found = read_scores(path)
    assert (found.id_column, found.labels) == ("nucleus_id", ["T", "a/b"])
    assert found.ids.tolist() == ids.tolist()
    np.testing.assert_array_equal(found.shares, SHARES)
    assert pq.read_table(path)["T"].null_count == 1
    assert read_attributes(path)["labels"]["T"] == "T_NK"


def test_no_cell_is_a_valid_table(tmp_path):
    path = tmp_path / "tangram.parquet"
    empty = Scores("cell_id", np.array([], dtype=object), ["T"], SHARES[:0, :1])
    write_scores(path, empty, {"T": "T_NK"}, {})
    assert read_scores(path).shares.shape == (0, 1)


def test_another_table_is_refused(tmp_path):
    path = tmp_path / "other.parquet"
    write_scores(path, Scores("slide", np.array(["a"], dtype=object), [], SHARES[:1, :0]), {}, {})
    with pytest.raises(InputError, match="expected an id and one column per label"):
        read_scores(path)


def test_a_second_opinion_stands_beside_the_scores_and_is_no_label(tmp_path):
    path = tmp_path / "tangram.parquet"
    scores = Scores("cell_id", np.array(["a", "b"], dtype=object), ["T", "B"], SHARES)
    opinion = Transfer(np.array(["B", None], dtype=object), np.array([0.5, np.nan], np.float32))
    write_scores(path, scores, {"T": "T_NK", "B": "B_Plasma"}, {"stage": "annotate"}, opinion)
    assert read_scores(path).labels == ["T", "B"]
    found = read_transfer(path)
    assert found.labels.tolist() == ["B", None]
    np.testing.assert_array_equal(found.probabilities, opinion.probabilities)
    assert pq.read_table(path)["transfer_probability"].null_count == 1


def test_without_a_second_opinion_there_is_none(tmp_path):
    path = tmp_path / "tangram.parquet"
    ids = np.array(["a", "b"], dtype=object)
    write_scores(
        path, Scores("cell_id", ids, ["T", "B"], SHARES), {"T": "T_NK", "B": "B_Plasma"}, {}
    )
    assert read_transfer(path) is None
