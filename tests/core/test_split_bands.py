"""Bands of a slide share no pixel, and give every split its part of what grows in one place."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sthelar_build.core.leaks import audit
from sthelar_build.core.split_bands import assign_bands
from sthelar_build.core.split_plan import names_of

SHARES = (0.6, 0.2, 0.2)


def rng(seed=0):
    return np.random.default_rng(seed)


def grid(columns, rows, stride=192):
    y, x = np.mgrid[:rows, :columns] * stride
    return x.ravel(), y.ravel()


def leaks(x, y, side_px, splits):
    table = pd.DataFrame(
        {"slide": "s", "patient": "p", "patch_id": np.arange(len(x)), "x_px": x, "y_px": y}
    )
    nothing = pd.DataFrame({"patch_id": [], "nucleus_id": []}, dtype=np.uint32)
    return audit(table.assign(split=names_of(splits)), side_px, {"s": nothing}).leaks("space")


def test_bands_have_the_shares_and_a_gap_of_the_guard():
    x, y = grid(40, 10)
    splits = assign_bands(x, y, 256, SHARES, 64, rng())
    kept = splits >= 0
    shares = np.bincount(splits[kept], minlength=3) / kept.sum()
    np.testing.assert_allclose(shares, SHARES, atol=0.03)
    for one, other in ((a, b) for a in range(3) for b in range(3) if a != b):
        gap = np.abs(x[splits == one][:, None] - x[splits == other]).min() - 256
        assert gap >= 64
    assert kept.mean() > 0.85
    assert all(len(np.unique(splits[x == column])) == 1 for column in np.unique(x))


def test_bands_run_across_the_longer_axis():
    x, y = grid(3, 40)
    splits = assign_bands(x, y, 256, SHARES, 64, rng())
    assert all(len(np.unique(splits[y == row])) == 1 for row in np.unique(y))


def test_a_slide_of_five_columns_still_gets_all_three_splits():
    x, y = grid(5, 1)
    splits = assign_bands(x, y, 256, SHARES, 64, rng())
    assert sorted(splits[splits >= 0]) == [0, 1, 2]


def test_a_slide_too_small_for_bands_trains():
    x, y = grid(2, 2)
    np.testing.assert_array_equal(assign_bands(x, y, 256, SHARES, 64, rng()), 0)
    assert len(assign_bands(x[:0], y[:0], 256, SHARES, 64, rng())) == 0


@pytest.mark.parametrize("centre", [(0.5, 0.5), (0.1, 0.5), (0.3, 0.2), (0.9, 0.9)])
def test_a_class_that_grows_in_one_spot_is_shared_out_like_the_patches(centre):
    x, y = grid(90, 70)
    distance = np.hypot(x / x.max() - centre[0], (y / y.max() - centre[1]) * 70 / 90)
    features = np.stack(
        [rng(1).poisson(20, len(x)), rng(2).poisson(5 * np.exp(-((distance / 0.08) ** 2)))], axis=1
    )
    blind = assign_bands(x, y, 256, SHARES, 64, rng())
    splits = assign_bands(x, y, 256, SHARES, 64, rng(), features, np.array([1.0, 1.0]))
    shares = [features[splits == s, 1].sum() / features[splits >= 0, 1].sum() for s in range(3)]
    patches = np.bincount(splits[splits >= 0]) / (splits >= 0).sum()
    assert shares == pytest.approx(SHARES, abs=0.06)
    assert patches == pytest.approx(SHARES, abs=0.06)
    assert (splits >= 0).mean() > 0.85
    blind_shares = [features[blind == s, 1].sum() / features[blind >= 0, 1].sum() for s in range(3)]
    assert max(np.abs(np.subtract(blind_shares, SHARES))) > 0.1


@settings(max_examples=40, deadline=None)
@given(
    columns=st.integers(1, 25),
    rows=st.integers(1, 6),
    stride=st.integers(100, 300),
    side=st.integers(150, 500),
    guard=st.integers(0, 200),
    seed=st.integers(0, 99),
)
def test_bands_never_share_a_pixel(columns, rows, stride, side, guard, seed):
    x, y = grid(columns, rows, stride)
    inside = rng(seed).random(len(x)) < 0.8
    x, y = x[inside], y[inside]
    spot = rng(seed).random((len(x), 2)) < 0.1
    splits = assign_bands(
        x, y, side, SHARES, guard, rng(seed), spot.astype(float), np.array([1, 0.5])
    )
    assert leaks(x, y, side, splits) == ""


def test_a_guard_that_is_one_pixel_too_small_is_seen_by_the_audit():
    x, y = grid(40, 3, stride=255)
    assert leaks(x, y, 256, assign_bands(x, y, 256, SHARES, 0, rng())) == ""
    assert "shared_pixels" in leaks(x, y, 256, assign_bands(x, y, 256, SHARES, -1, rng()))


def test_the_same_seed_gives_the_same_splits():
    x, y = grid(30, 5)
    one, two = (assign_bands(x, y, 256, SHARES, 64, rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
