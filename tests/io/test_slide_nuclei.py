import numpy as np
import pytest

from slides.two_slides import UM_PER_PX, open_nuclei, write_slide
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.schema.tables import NUCLEI

# In px of the H&E, which is 330 x 90; complete patches end at 320 and 80.
PLACES = {1: (10, 10), 2: (325, 10), 3: (-1, 10), 4: (329, 89), 5: (331, 10)}


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slide_nuclei") / "skin_s1"
    write_slide(folder, "skin_s1")
    table = read_table(folder / "nuclei.parquet", NUCLEI).set_index("nucleus_id", drop=False)
    for nucleus_id, (x, y) in PLACES.items():
        table.loc[nucleus_id, ["x_um", "y_um"]] = x * UM_PER_PX, y * UM_PER_PX
    write_table(folder / "nuclei.parquet", table, NUCLEI, {})
    with open_nuclei(folder) as slide:
        yield slide


def test_centres_lie_on_the_image(slide):
    np.testing.assert_allclose(slide.centres_he_px[:5], list(PLACES.values()))
    assert slide.on_image[:5].tolist() == [True, True, False, True, False]
    assert slide.um_per_px == UM_PER_PX


def test_nuclei_in_a_mask_are_drawn(slide):
    assert set(slide.ids[slide.drawn]) == set(slide.appearances.nucleus_id)


def test_who_is_not_seen_is_told_why(slide):
    seen = np.zeros(len(slide.table), dtype=bool)
    seen[3] = True
    assert slide.reasons(seen)[:5].tolist() == ["not_drawn", "outside", "outside", np.nan, "outside"]  # fmt: skip
