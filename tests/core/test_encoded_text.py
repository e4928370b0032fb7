import pandas as pd
import pyarrow as pa
import pytest

from sthelar_build.core.encoded_text import encoded, places, renamed


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["b", "a", None, "b"]),
        pa.array([b"b", b"a", None, b"b"]),
        pa.array(["b", "a", None, "b"]).dictionary_encode(),
        pa.chunked_array(
            [pa.array(part, pa.string()).dictionary_encode() for part in (["b", "a"], [None, "b"])]
        ),
    ],
    ids=["text", "bytes", "encoded", "in parts"],
)
def test_words_become_numbers_in_the_order_in_which_they_come(column):
    found = encoded(column)
    assert found.dictionary.to_pylist() == ["b", "a"]
    assert found.indices.to_pylist() == [0, 1, None, 0]


def test_numbers_become_words():
    assert encoded(pa.array([7, -1, 7])).to_pylist() == ["7", "-1", "7"]


def test_words_are_renamed_and_may_become_one_or_null():
    column = encoded(pa.array(["a", "b", "c", None, "a"]))
    found = renamed(column, pa.array(["x", "x", None]))
    assert found.to_pylist() == ["x", "x", None, None, "x"]
    assert found.dictionary.to_pylist() == ["x"]


def test_a_word_has_its_place_in_the_index_and_others_have_none():
    column = encoded(pa.array(["b", "stranger", None, "a"]))
    assert places(column, pd.Index(["a", "b"])).tolist() == [1, -1, -1, 0]


def test_words_that_no_row_has_do_not_matter():
    column = pa.DictionaryArray.from_arrays(pa.array([2, 0], pa.int32()), ["a", "b", "c"])
    assert places(encoded(column), pd.Index(["c", "a"])).tolist() == [0, 1]
    assert renamed(column, pa.array(["x", "y", "z"])).to_pylist() == ["z", "x"]


def test_no_rows_are_no_rows():
    assert len(encoded(pa.array([], pa.string()))) == 0
    assert places(encoded(pa.chunked_array([], pa.string())), pd.Index(["a"])).tolist() == []
