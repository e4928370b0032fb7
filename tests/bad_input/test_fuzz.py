"""Whatever stands in a file of others, it is read or refused in one line; ``benchmarks/fuzz.py`` tries longer."""

import pytest
from cases.parsers import PARSERS, QUICK, seeds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sthelar_build.errors import SthelarError

AWKWARD = [
    b"nan",
    b"-1",
    b"1e999",
    b'"',
    b"\t",
    b",",
    b"\r\n",
    b"\x00",
    b"null",
    b"{}",
    b"[]",
    b"\xff\xfe",
    b"../",
]
DAMAGE = st.lists(
    st.tuples(
        st.floats(0, 1), st.integers(0, 40), st.binary(max_size=6) | st.sampled_from(AWKWARD)
    ),
    min_size=1,
    max_size=4,
)


def damaged(content, damage):
    """Put bytes in the place of some others, this far into the content."""
    for share, n_removed, put in damage:
        place = int(share * len(content))
        content = content[:place] + put + content[place + n_removed :]
    return content


@pytest.fixture(scope="module")
def good():
    return seeds(QUICK)


@pytest.mark.parametrize("name", QUICK)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=DAMAGE)
def test_damage_is_read_or_refused_in_one_line(good, tmp_path, name, damage):
    path = tmp_path / PARSERS[name].file
    path.write_bytes(damaged(good[name], damage))
    try:
        PARSERS[name].read(path)
    except SthelarError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", QUICK)
def test_the_good_file_is_read(good, tmp_path, name):
    path = tmp_path / PARSERS[name].file
    path.write_bytes(good[name])
    PARSERS[name].read(path)
