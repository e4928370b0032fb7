"""The audit sees every pixel and every nucleus that two splits share, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.leaks import LeakAudit, audit


def patches(*rows):
    """Rows of x, y, split; one slide, one patient."""
    table = pd.DataFrame(rows, columns=["x_px", "y_px", "split"])
    return table.assign(slide="s", patient="p", patch_id=np.arange(len(rows)))


def shown(*pairs):
    return {"s": pd.DataFrame(list(pairs), columns=["patch_id", "nucleus_id"]).astype(np.uint32)}


def found(table, nuclei=None):
    return audit(table, 256, nuclei or shown())


def test_patches_that_touch_share_nothing_and_one_column_of_pixels_is_seen():
    assert found(patches((0, 0, "train"), (256, 0, "test"))).shared_pixels == 0
    one = found(patches((0, 0, "train"), (255, 0, "test")))
    assert (one.shared_pixels, one.patches_sharing_pixels) == (256, 2)
    assert found(patches((0, 0, "train"), (255, 255, "test"))).shared_pixels == 1


def test_a_pixel_of_three_splits_counts_once_and_patches_beside_it_do_not():
    table = patches((0, 0, "train"), (192, 0, "valid"), (192, 192, "test"), (1000, 0, "test"))
    one = found(table)
    assert one.patches_sharing_pixels == 3
    # train and valid: 64 columns; valid and test: 64 rows; train and test: inside both.
    assert one.shared_pixels == 64 * 256 + 256 * 64 - 64 * 64


def test_patches_of_one_split_may_overlap_and_those_in_none_do_not_count():
    table = patches((0, 0, "train"), (10, 0, "train"), (5, 0, None))
    assert found(table, shown((0, 7), (1, 7), (2, 7))) == LeakAudit(0, 0, 0, 0, 0)


def test_a_nucleus_in_two_splits_counts_once():
    table = patches((0, 0, "train"), (500, 0, "test"), (1000, 0, "valid"), (1500, 0, None))
    nuclei = shown((0, 1), (1, 2), (0, 3), (1, 3), (2, 3), (3, 1), (99, 1))
    assert found(table, nuclei).shared_nuclei == 1


def test_nuclei_of_two_slides_have_nothing_to_do_with_each_other():
    table = pd.concat([patches((0, 0, "train")), patches((0, 0, "test")).assign(slide="t")])
    nuclei = {**shown((0, 1)), "t": shown((0, 1))["s"]}
    assert audit(table, 256, nuclei) == LeakAudit(0, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("strategy", "leaks"),
    [
        ("patient", "shared_pixels 9, shared_nuclei 3, shared_slides 1, shared_patients 1"),
        ("slide", "shared_pixels 9, shared_nuclei 3, shared_slides 1"),
        ("space", "shared_pixels 9, shared_nuclei 3"),
        ("random_leaky", ""),
    ],
)
def test_every_strategy_is_held_to_what_it_promises(strategy, leaks):
    assert LeakAudit(9, 0, 3, 1, 1).leaks(strategy) == leaks


@pytest.mark.parametrize("seed", range(5))
def test_the_pixels_are_those_of_a_canvas_painted_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    table = patches(
        *[
            (int(x), int(y), s)
            for x, y, s in zip(
                rng.integers(0, 60, 12),
                rng.integers(0, 60, 12),
                rng.choice(["train", "valid", "test"], 12),
                strict=True,
            )
        ]
    )
    canvas = np.zeros((3, 80, 80), dtype=bool)
    for row in table.itertuples():
        canvas[
            ["train", "valid", "test"].index(row.split),
            row.y_px : row.y_px + 16,
            row.x_px : row.x_px + 16,
        ] = True
    twice = canvas.sum(axis=0) > 1
    one = audit(table, 16, shown())
    assert one.shared_pixels == twice.sum()
    assert one.patches_sharing_pixels == sum(
        twice[r.y_px : r.y_px + 16, r.x_px : r.x_px + 16].any() for r in table.itertuples()
    )
