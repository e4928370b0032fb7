"""The column contract: written down, explained, and enforced."""

import pyarrow as pa

from sthelar_build.schema import tables
from sthelar_build.schema.tables import LABELS, METRICS, mismatch


def test_every_column_says_what_it_means():
    schemas = {name: s for name, s in vars(tables).items() if isinstance(s, pa.Schema)}
    assert len(schemas) == 20
    for name, schema in schemas.items():
        for field in schema:
            assert field.metadata[b"about"], (name, field.name)


def test_the_columns_that_others_read_do_not_move():
    assert LABELS.names == [
        "cell_id", "final_label", "label1", "label2", "label3", "confidence", "decided_by", "cluster",
    ]  # fmt: skip


def test_a_table_that_fits_has_no_mismatch():
    assert mismatch(METRICS, METRICS) is None


def test_missing_extra_misplaced_and_mistyped_columns_are_told_apart():
    without = pa.schema([field for field in METRICS if field.name != "bPQ"])
    assert mismatch(without, METRICS) == "missing columns ['bPQ'], unexpected columns []"
    assert mismatch(pa.schema(list(METRICS)[::-1]), METRICS) == "columns out of order"
    mistyped = METRICS.set(0, pa.field("patch_id", pa.string()))
    assert mismatch(mistyped, METRICS) == "column patch_id: expected uint32, found string"


def test_a_dictionary_of_strings_is_as_good_as_strings():
    coded = LABELS.set(1, pa.field("final_label", pa.dictionary(pa.int32(), pa.string())))
    assert mismatch(coded, LABELS) is None
