"""Nuclei in blocks, as bytes."""

import numpy as np
import pandas as pd
from shapely import box

from sthelar_build.core.coded_outlines import coded_outlines
from sthelar_build.core.nucleus_blocks import (
    NO_CLUSTER,
    block_side_px,
    blocks_of,
    packed,
    packed_overview,
)

TABLE = pd.DataFrame(
    {
        "x_px": [110.0, 101.25],
        "y_px": [205.5, 200.0],
        "cluster": [3, NO_CLUSTER],
        "fine": [300, 0],
        "class_index": [2, 9],
        "confidence": [1.0, 0.5],
        "decided": [1, 4],
    }
)


def test_a_block_holds_the_nuclei_of_its_square():
    centres = np.array([[5.0, 5], [15, 5], [6, 6], [5, 25]])
    found = [(b.column, b.row, b.nuclei.tolist()) for b in blocks_of(centres, 10)]
    assert found == [(0, 0, [0, 2]), (1, 0, [1]), (0, 2, [3])]
    assert list(blocks_of(np.empty((0, 2)), 10)) == []


def test_sides_are_whole_and_fit_into_two_bytes():
    assert block_side_px(400, 0.25) == 1600
    assert block_side_px(2000, 0.1) == 16383


def test_columns_follow_each_other_as_a_page_reads_them():
    outlines = coded_outlines([box(109, 205, 111, 206), None], TABLE[["x_px", "y_px"]].to_numpy())
    data = packed(TABLE, outlines, 100, 200)
    shorts = np.frombuffer(data[:16], "<u2").reshape(4, 2).tolist()
    assert shorts == [[40, 5], [22, 0], [3, NO_CLUSTER], [300, 0]]
    octets = np.frombuffer(data[16:26], np.uint8).reshape(5, 2).tolist()
    assert octets == [[2, 9], [255, 128], [1, 4], [4, 0], [1, 1]]
    assert len(data) == 26 + 8


def test_the_overview_is_dots():
    data = packed_overview(TABLE, unit_px=0.5)
    assert np.frombuffer(data[:12], "<u2").tolist() == [220, 202, 411, 400, 3, NO_CLUSTER]
    assert list(data[12:]) == [2, 9, 255, 128]
