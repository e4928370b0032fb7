"""Groups without a colour of their own get one that differs from the others."""

import re

from sthelar_build.core.palette import hues


def test_colours_differ_and_are_written_as_in_css():
    colours = hues(60)
    assert len(set(colours)) == 60
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)


def test_more_groups_do_not_change_the_colours_of_the_first():
    assert hues(9)[:4] == hues(4)
    assert hues(0) == []
