"""A file that is dated in the future is refused; an absent file has no date."""

import os
import time

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.clocks import check_dates


def dated(path, later_s):
    path.touch()
    now = time.time()
    os.utime(path, (now, now + later_s))
    return path


def test_a_file_of_tomorrow_is_refused_by_name_and_date(tmp_path):
    tomorrow = dated(tmp_path / "tomorrow", 86_400)
    with pytest.raises(InputError, match=r"tomorrow: expected a date in the past, found .* UTC"):
        check_dates([dated(tmp_path / "past", -10), tomorrow])


def test_the_past_a_second_from_now_and_what_is_absent_pass(tmp_path):
    check_dates([dated(tmp_path / "past", -10), dated(tmp_path / "soon", 1), tmp_path / "absent"])
