"""The words of our tables are those that the columns promise."""

import pytest

from sthelar_build.schema import words
from sthelar_build.schema.tables import EVIDENCE, LABELS, METRICS, REGISTRATION, SPLITS


def about(schema, column):
    return schema.field(column).metadata[b"about"].decode()


@pytest.mark.parametrize(
    ("schema", "column", "expected"),
    [
        (LABELS, "decided_by", ["AGREEMENT", "MARKERS", "TANGRAM", "NEITHER", "CELL_EVIDENCE"]),
        (LABELS, "decided_by", ["LOW_COUNT", "CURATION"]),
        (EVIDENCE, "decided_by", ["AGREEMENT", "MARKERS", "TANGRAM", "NEITHER", "CURATION"]),
        (METRICS, "reason", ["NO_NUCLEUS", "NOT_RUN", "OUTSIDE", "NO_BACKGROUND"]),
        (REGISTRATION, "reason", ["NO_NUCLEUS", "OUTSIDE", "FLAT"]),
        (SPLITS, "reason", ["GUARD", "NO_NUCLEUS", "OUTSIDE", "REGISTRATION"]),
    ],
)
def test_a_column_says_which_words_it_holds(schema, column, expected):
    for name in expected:
        assert getattr(words, name) in about(schema, column)


def test_no_word_stands_for_two_things():
    spelt = [value for name, value in vars(words).items() if name.isupper()]
    assert len(spelt) == len(set(spelt))
