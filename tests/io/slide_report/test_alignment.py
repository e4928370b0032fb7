"""What is shown of an alignment."""

import json

import pytest

from slides import three_cells
from sthelar_build.io.slide_report.alignment import shown_alignment


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return three_cells.build(tmp_path_factory.mktemp("alignment"))


def shown(files, **changes):
    names = ("transform", "registration", "registration_pictures")
    return shown_alignment(*({**files, **changes}[name] for name in names), picture_px=300)


def test_the_limit_is_that_that_register_recorded(files, tmp_path):
    assert shown(files).limit_um is None
    record = json.loads(files["transform"].read_text())
    record["provenance"]["settings"] = {"warn_um": 2.0, "tile_um": 100}
    (tmp_path / "transform.json").write_text(json.dumps(record))
    found = shown(files, transform=tmp_path / "transform.json")
    assert found.limit_um == 2
    assert found.settings["tile_um"] == 100


def test_tiles_are_counted_with_their_reasons(files):
    found = shown(files)
    measured = sum(found.residuals.counts)
    assert found.n_tiles == measured + sum(part.count for part in found.unmeasured)
    assert found.pictures
