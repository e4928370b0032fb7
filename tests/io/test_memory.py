import resource
from pathlib import Path

import pytest

from sthelar_build.io.memory import give_back

STATISTICS = Path("/proc/self/statm")


def _resident_mb():
    return int(STATISTICS.read_text().split()[1]) * resource.getpagesize() / 2**20


@pytest.mark.skipif(not STATISTICS.exists(), reason="the system does not say what is resident")
def test_what_small_objects_took_goes_back_though_the_last_one_is_still_there():
    pieces = [bytes(1000) for _ in range(100_000)]
    last = pieces[-1]
    del pieces
    before = _resident_mb()
    give_back()
    assert before - _resident_mb() > 50
    assert len(last) == 1000
