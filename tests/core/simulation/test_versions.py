import numpy as np
import pytest
import shapely

from slides.five_cells import NO_NUCLEUS, TWO_NUCLEI, five_cells
from sthelar_build.core.simulation.versions import as_version, traits_of


def test_versions_are_compared_as_numbers():
    assert traits_of("1.10.0").fields_of_view
    assert not traits_of("1.10.0").polygon_sets
    assert traits_of("10.0.0").named_channels


def test_what_is_no_version_is_refused():
    with pytest.raises(ValueError, match="latest"):
        traits_of("latest")


def test_before_2_a_cell_shows_its_first_nucleus_and_what_lay_in_the_other_is_not_nuclear():
    slide = five_cells()
    shown = as_version(slide, "1.9.0")
    assert shown.nuclei["cell_row"].tolist() == [0, 1, 3, 4]
    lost = slide.transcripts["overlaps_nucleus"] & ~shown.transcripts["overlaps_nucleus"]
    second = slide.nuclei.geometry.iloc[1]
    inside = shapely.contains_xy(
        second, slide.transcripts["x_um"].to_numpy(), slide.transcripts["y_um"].to_numpy()
    )
    assert lost.any()
    np.testing.assert_array_equal(lost, inside)
    assert set(slide.transcripts["cell_row"][lost]) == {TWO_NUCLEI}
    assert NO_NUCLEUS not in set(shown.nuclei["cell_row"])


def test_before_1_3_the_cells_are_numbered():
    assert as_version(five_cells(), "1.0.2").cells["cell_id"].tolist() == list("12345")


@pytest.mark.parametrize("version", ["1.0.2", "1.9.0", "2.0.0", "4.0.0"])
def test_showing_a_slide_twice_changes_nothing(version):
    once = as_version(five_cells(), version)
    twice = as_version(once, version)
    assert once.cells.equals(twice.cells)
    assert once.nuclei.equals(twice.nuclei)
    assert once.transcripts.equals(twice.transcripts)
    assert list(once.morphology) == list(twice.morphology)
