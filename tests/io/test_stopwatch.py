"""Times are added up by the name of the work."""

from sthelar_build.io import stopwatch
from sthelar_build.io.stopwatch import Stopwatch


def test_times_of_one_work_are_added_and_told_for_each_thing(monkeypatch):
    now = iter([0.0, 1.0, 5.0, 5.5, 7.0, 8.0])
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: next(now))
    clock = Stopwatch()
    for work in ("reading", "network", "reading"):
        with clock(work):
            pass
    assert clock.words(4) == "reading 500.0 ms, network 125.0 ms"


def test_nothing_done_is_nothing():
    assert Stopwatch().words(0) == "nothing"
