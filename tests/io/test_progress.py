"""Progress passes everything through, and speaks once a minute in a log."""

import logging

from sthelar_build.io import progress as module
from sthelar_build.io.progress import progress


def test_every_item_passes():
    assert list(progress(range(3), "patches", total=3)) == [0, 1, 2]


def test_a_log_gets_a_line_when_the_time_has_passed(monkeypatch, caplog):
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LINES", -1.0)
    with caplog.at_level(logging.INFO):
        list(progress(range(2), "patches", total=2))
    assert caplog.messages == ["patches: 1 of 2", "patches: 2 of 2"]
