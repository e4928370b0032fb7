"""Dates in the future are found; an absent file has none."""

import os
import time

from sthelar_build.io.clocks import dated_in_the_future


def test_a_file_of_tomorrow_is_found_and_one_of_a_second_from_now_is_not(tmp_path):
    now = time.time()
    for name, later_s in (("tomorrow", 86_400), ("soon", 1), ("past", -10)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now, now + later_s))
    paths = [tmp_path / name for name in ("tomorrow", "soon", "past", "absent")]
    found = dated_in_the_future(paths)
    assert list(found) == [tmp_path / "tomorrow"]
    assert abs(found[tmp_path / "tomorrow"].timestamp() - now - 86_400) < 1
