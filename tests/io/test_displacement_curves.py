"""Curves of displaced masks, against the predictions and against themselves."""

import numpy as np
import pytest

from slides import two_slides
from slides.predicted import write_predictions
from sthelar_build.io.displacement_curves import (
    displacement_curves,
    displacement_table,
    shown_curves,
)
from sthelar_build.io.masks import open_masks
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import DISPLACEMENT


@pytest.fixture
def folders(tmp_path):
    """Predicted is the mask, two pixels of 0.25 um to the right."""
    masks = two_slides.write_slide(tmp_path / "s", "skin_s1").masks.parent
    drawn = open_masks(masks)
    maps = {i: np.roll(drawn.instances(i), 2, axis=1) for i in range(56)}
    return masks, write_predictions(tmp_path / "p", (4, 14, 32), maps, {})


def test_masks_agree_with_themselves_best_in_place_and_with_predictions_less(folders):
    curves = displacement_curves(*folders, [3, 18], 1)
    masks, predictions = (
        [row.metrics.jaccard for row in curves[against]] for against in ("masks", "predictions")
    )
    assert masks[0] == 1
    assert masks[1] < 1
    assert predictions[0] < masks[0]
    assert all(row.in_place.jaccard == 1 for row in curves["masks"][:3])


def test_the_table_has_a_row_for_every_distance_of_both_and_null_where_nothing_is_left(folders):
    table = displacement_table(displacement_curves(*folders, [3, 18], 1))
    assert table["compared_with"].tolist() == ["predictions"] * 6 + ["masks"] * 6
    assert table["displacement_um"].tolist() == [0, 0.5, 1, 2, 4, 8] * 2
    # Eight windows in each of two patches; straight moves of 8 um leave nothing of a patch of 32 px of 0.25 um.
    assert table["n_windows"].tolist()[:3] == [2, 16, 16]
    assert table["n_windows"][5] <= 8
    assert table["Jaccard"][:3].notna().all()


def test_a_written_table_is_shown_row_by_row(folders, tmp_path):
    curves = displacement_curves(*folders, [3, 18], 1)
    facts = {"n_patches": 2, "median_jaccard": 0.5, "worth_um": None}
    write_table(tmp_path / "d.parquet", displacement_table(curves), DISPLACEMENT, {}, facts)
    shown = shown_curves(tmp_path / "d.parquet")
    assert (shown.n_patches, shown.worth_um) == (2, None)
    assert [um for um, _, _ in shown.rows] == [0, 0.5, 1, 2, 4, 8]
    assert shown.rows[0][1:] == (curves["predictions"][0].metrics.jaccard, 1)


def test_no_patches_have_no_curve(folders, tmp_path):
    curves = displacement_curves(*folders, [], 1)
    assert curves == {}
    table = displacement_table(curves)
    write_table(tmp_path / "d.parquet", table, DISPLACEMENT, {}, {"n_patches": 0})
    assert shown_curves(tmp_path / "d.parquet") is None
