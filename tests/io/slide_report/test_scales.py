"""What is shown of the masks of three cells by hand."""

import pytest

from slides import three_cells
from sthelar_build.io.images.he import open_he
from sthelar_build.io.slide_report.scales import ScaleFiles, shown_scale
from sthelar_build.settings.report import ReportSettings


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    files = three_cells.build(tmp_path_factory.mktemp("scales"))
    of = ScaleFiles("40x", files["patches_40x"], files["masks_40x"], files["metrics_40x"], None)
    with open_he(files["he"]) as image:
        return shown_scale(of, image, ReportSettings(gallery_patches=2))


def test_masks_are_told_with_what_they_were_compared_with(shown):
    assert (shown.side_px, shown.n_nuclei, shown.n_slivers) == (64, 2, 7)
    assert shown.segmented_by == "CellViTSAM, checkpoint 01234567"
    assert shown.agreement.n_kept < shown.agreement.n_measured
    assert shown.coverage.n_patches == shown.agreement.n_measured
    assert shown.coverage.n_uncovered == 0


def test_a_displacement_that_was_not_measured_is_none(shown):
    assert shown.displaced is None


def test_every_patch_of_the_gallery_comes_with_and_without_outlines(shown):
    patches = [patch for group in shown.gallery.values() for patch in group]
    assert len(patches) == 6
    for patch in patches:
        assert patch.picture.uri != patch.plain.uri
        assert patch.picture.width_px == 2 * patch.plain.width_px == 128
