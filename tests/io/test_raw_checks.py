"""What is looked at in raw files, and what each look needs; what they find is tested with the stage ``preflight``."""

from pathlib import Path

import pytest

from slides.raw_slide import write_raw_slide
from sthelar_build.errors import InputError
from sthelar_build.io.raw_checks import LOOKS, Findings, RawFiles
from sthelar_build.settings.preflight import PreflightSettings


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    write_raw_slide(folder)
    return RawFiles(
        "s", folder / "outs", folder / "he_image.ome.tif", folder / "reference.h5ad", "cell_type"
    )


def test_every_look_finds_the_facts_that_later_ones_are_compared_with(raw):
    found = Findings()
    for look in LOOKS:
        assert set(look.after) <= found.facts.keys()
        look.at(raw, PreflightSettings(), found)
    assert found.problems == []
    assert found.genes["name"].tolist() == ["EPCAM", "CD3E", "MYGENE"]


@pytest.mark.parametrize(
    ("look", "field"), [(LOOKS[0], "xenium"), (LOOKS[1], "he"), (LOOKS[3], "reference")]
)
def test_a_file_that_is_not_there_is_an_error_of_one_line(raw, look, field):
    absent = RawFiles(**{**vars(raw), field: Path("absent")})
    found = Findings()
    LOOKS[0].at(raw, PreflightSettings(), found)
    with pytest.raises(InputError, match=r"^absent[^\n]*$"):
        look.at(absent, PreflightSettings(), found)
