"""Tiles summed up for a slide."""

import json

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.drift import SHIFTED
from sthelar_build.core.matrix_facts import MatrixFacts
from sthelar_build.core.quality import Findings, MatchedFacts, field_facts, matched_facts


def tiles(shifts, reasons=(), correlation=0.5):
    n = len(shifts) + len(reasons)
    shifts = np.array(shifts, dtype=float).reshape(-1, 2)
    blank = [np.nan] * len(reasons)
    compared = [correlation] * len(shifts) + [
        0.1 if reason == "flat" else np.nan for reason in reasons
    ]
    return pd.DataFrame(
        {
            "n_nuclei": np.full(n, 10),
            "correlation": compared,
            **{name: np.array(compared) / (place + 2) for place, name in enumerate(SHIFTED)},
            "dx_um": [*shifts[:, 0], *blank],
            "dy_um": [*shifts[:, 1], *blank],
            "residual_um": [*np.hypot(*shifts.T), *blank],
            "reason": [None] * len(shifts) + list(reasons),
        }
    )


def test_tiles_that_need_no_shift_agree():
    found = field_facts(
        tiles([(0, 0), (1, 1), (-2, 0), (9, 0)], ["flat", "no_tissue", "outside"]), agree_um=2
    )
    assert (found.n_tiles, found.n_measured, found.n_flat, found.n_no_tissue) == (7, 4, 1, 1)
    assert (found.n_agreeing, found.agreeing) == (3, 0.75)
    assert found.coherent == 0.75


def test_a_common_shift_is_coherent_though_none_agrees_with_no_shift():
    found = field_facts(tiles([(4, 3), (4, 3.5), (4.5, 3), (-8, 2)]), agree_um=2)
    assert (found.agreeing, found.coherent) == (0, 0.75)
    assert found.median_um == pytest.approx(np.hypot(4, 3.5))


def test_the_median_counts_nuclei_and_not_tiles():
    table = tiles([(0, 1), (0, 2), (0, 3)])
    table["n_nuclei"] = [1, 1, 50]
    assert field_facts(table, 2).median_um == 3


def test_the_decay_is_that_of_all_tiles_that_could_be_compared():
    table = tiles([(0, 0)], ["flat", "outside"], correlation=0.7)
    table["n_nuclei"] = [30, 10, 99]
    found = field_facts(table, 2)
    assert found.decay[0] == pytest.approx((30 * 0.7 + 10 * 0.1) / 40)
    assert found.drop == pytest.approx(found.decay[0] - np.mean(found.decay[3:]))


def test_a_search_that_ends_early_leaves_the_far_shifts_out():
    table = tiles([(0, 0)]).assign(correlation_8um=np.nan)
    found = field_facts(table, 2)
    assert found.drop == pytest.approx(found.decay[0] - found.decay[3])


def test_where_nothing_could_be_compared_nothing_is_known():
    found = field_facts(tiles([], ["outside", "no_nucleus"]), 2)
    assert (found.n_measured, found.agreeing, found.coherent) == (0, 0, 0)
    assert (found.median_um, found.p95_um, found.decay, found.drop) == (None,) * 4


def test_matched_nuclei_are_counted_against_those_that_were_looked_at():
    table = tiles([(0, 0), (0, 0)], ["outside"])
    found = matched_facts(np.array([0.5, 1.0, 1.5], np.float32), table)
    assert (found.n_nuclei, found.n_matched, found.median_um) == (20, 3, 1.0)
    assert matched_facts(np.empty(0), table) == MatchedFacts(20, 0, None, None)


def test_the_record_is_plain_json_without_nan():
    field = field_facts(tiles([(0, 0)]).assign(correlation_8um=np.nan), 2)
    matrix = MatrixFacts(90.0, True, 1.01, 0.5, 0.25)
    found = Findings(field, MatchedFacts(20, 15, 0.8, 2.0), matrix, inside=1.0, on_tissue=0.9)
    record = json.loads(json.dumps(found.record(), allow_nan=False))
    assert record["agreeing"] == 1
    assert record["decay"]["shift_um"] == [0, 1, 2, 4, 8]
    assert record["decay"]["correlation"][4] is None
    assert record["matrix"]["mirrored"] is True
    assert record["matched"]["n_matched"] == 15
