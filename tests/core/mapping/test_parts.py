"""The exponential, and labels that only fill up a row."""

import numpy as np
import pytest

from sthelar_build.core.mapping.lanes import WIDTH
from sthelar_build.core.mapping.parts import write_shares
from sthelar_build.core.mapping.records import Softmax


def exponentials(values, scale):
    logits = np.zeros((-(-len(values) // WIDTH), WIDTH), dtype=np.float32)
    logits.ravel()[: len(values)] = values
    nothing = np.zeros((1, WIDTH), dtype=np.float32)
    write_shares(0, len(logits), logits, Softmax(nothing, nothing + np.float32(scale), nothing))
    return logits.ravel()[: len(values)]


def test_exponentials_are_right_to_float32():
    values = np.linspace(-43, 40, 4001).astype(np.float32)
    np.testing.assert_allclose(exponentials(values, 1), np.exp(values.astype(float)), rtol=3e-7)


@pytest.mark.parametrize(("value", "limit"), [(-1000, -43), (1000, 40)])
def test_exponentials_stop_where_their_squares_would_leave_float32(value, limit):
    assert exponentials([value], 1)[0] == pytest.approx(np.exp(limit), rel=1e-6)


def test_a_label_of_scale_zero_gets_nothing():
    assert exponentials([0.0, 3.0], 0).tolist() == [0, 0]
