import pytest

from sthelar_build.core.cell_ids import cell_id_strings


@pytest.mark.parametrize(
    ("prefix", "suffix", "text"),
    [
        (0, 1, "aaaaaaaa-1"),
        (1, 1, "aaaaaaab-1"),
        (1437536272, 1, "ffkpbaba-1"),
        (0xFFFFFFFF, 12, "pppppppp-12"),
    ],
)
def test_an_id_is_written_as_10x_writes_it(prefix, suffix, text):
    assert cell_id_strings([prefix], [suffix]).tolist() == [text]


def test_no_ids_give_no_ids():
    assert len(cell_id_strings([], [])) == 0
