"""What is shown of an alignment."""

import pytest

from slides import three_cells
from sthelar_build.io.slide_report.alignment import shown_alignment
from sthelar_build.io.transform import read_transform


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return three_cells.build(tmp_path_factory.mktemp("alignment"))


def shown(files, settings):
    return shown_alignment(
        read_transform(files["transform"]), files["registration"], files["registration_pictures"], 300, settings
    )  # fmt: skip


def test_the_limit_is_that_that_register_recorded(files):
    assert shown(files, {"warn_um": 2.0, "tile_um": 100}).limit_um == 2
    assert shown(files, {}).limit_um is None


def test_tiles_are_counted_with_their_reasons(files):
    found = shown(files, {})
    measured = sum(found.residuals.counts)
    assert found.n_tiles == measured + sum(part.count for part in found.unmeasured)
    assert found.pictures
