"""Repeated options go side by side, or not at all."""

import pytest

from sthelar_build.errors import InputError
from sthelar_build.options import in_step


def test_the_values_of_one_place_go_together():
    assert in_step(scale=["40x", "20x"], patches=[1, 2]) == [("40x", 1), ("20x", 2)]


def test_an_option_given_too_often_or_too_rarely_is_named_as_it_is_typed():
    message = "expected one each of --a-b, --masks for each of the 2 --scale, found 2, 1"
    with pytest.raises(InputError, match=message):
        in_step(scale=["40x", "20x"], a_b=[1, 2], masks=[1])
