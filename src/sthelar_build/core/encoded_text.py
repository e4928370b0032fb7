"""Columns of words as numbers into a list of the distinct ones: what is done to a word is done once, not once per row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sthelar_build.core.assignment import NONE


def encoded(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """Return a column of text, bytes or numbers as an encoded column of text, the words as they first come.

    A column that is encoded already keeps its list, which may hold words that no row has.
    """
    whole = column
    if isinstance(column, pa.ChunkedArray):
        whole = column.unify_dictionaries().combine_chunks()
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    return pa.DictionaryArray.from_arrays(whole.indices, pc.cast(whole.dictionary, pa.string()))


def renamed(column: pa.DictionaryArray, words: pa.Array) -> pa.DictionaryArray:
    """Put a word of ``words`` in the place of each word of the column; several may become one, or null."""
    distinct = words.dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        distinct.indices.take(column.indices), distinct.dictionary
    )


def places(column: pa.DictionaryArray, index: pd.Index) -> NDArray[np.int32]:
    """Return the place of every row's word in the index, int32; -1 for null and for what is not there."""
    of_words = index.get_indexer(pd.Index(column.dictionary.to_pandas())).astype(np.int32)
    codes = column.indices.fill_null(len(of_words)).to_numpy()
    found: NDArray[np.int32] = np.append(of_words, np.int32(NONE))[codes]
    return found
