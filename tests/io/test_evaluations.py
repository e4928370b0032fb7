"""An evaluation reads back as it was written, and only with others of the same network."""

import json

import numpy as np
import pytest

from slides import evaluations
from sthelar_build.errors import InputError
from sthelar_build.io.evaluations import (
    as_null,
    code_names,
    read_evaluation,
)


def write(folder, slide="one", **changed):
    cells, shown = evaluations.confused(4, 1), evaluations.patches(0.5)
    counts = {"test": evaluations.detection(5, 2, 1)}
    return evaluations.write(folder / slide, slide, cells, shown, counts, **changed)


def test_what_was_written_reads_back(tmp_path):
    one = read_evaluation(write(tmp_path))
    (part,) = one.parts
    assert (one.slide, part.slide, part.split) == ("one", "one", "test")
    assert part.counts.tolist() == [[0, 3, 1, 0, 0], [0, 0, 4, 0, 0], [0, 0, 0, 0, 0]]
    assert part.detection.scores().f1 == 10 / 13
    np.testing.assert_array_equal(part.metrics["bPQ"], [0.5, 0.5, 0.5, np.nan])
    np.testing.assert_array_equal(part.pq[0], [0.5, 0.5, np.nan])
    assert code_names(one.record) == evaluations.CLASSES.names


def test_the_manifest_has_no_nan_and_says_the_scores(tmp_path):
    record = json.loads(write(tmp_path).read_text(), parse_constant=lambda word: pytest.fail(word))
    told = record["splits"]["test"]
    assert told["confusion"][0] == [0, 3, 1, 0, 0]
    assert told["scores"]["accuracy"] == 7 / 8
    assert told["detection"]["both"] == [0, 5, 0, 0, 0]
    assert as_null({"a": float("nan"), "b": 0.5}) == {"a": None, "b": 0.5}


def test_a_table_without_the_classes_of_the_manifest_is_refused(tmp_path):
    manifest = write(tmp_path)
    manifest.write_text(manifest.read_text().replace("normal_cell", "healthy"))
    with pytest.raises(InputError, match="found no PQ_healthy"):
        read_evaluation(manifest)


def test_an_unknown_grouping_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a grouping"):
        read_evaluation(write(tmp_path, grouping="mine"))
