"""Splits of a whole dataset: each strategy keeps apart what it promises, and the audit would see if not."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.leaks import LeakAudit, audit
from sthelar_build.core.split_plan import (
    SplitRule,
    chosen_strategy,
    names_of,
    plan_at_random,
    plan_bands,
    plan_groups,
    plan_splits,
)

SHARES = (0.6, 0.2, 0.2)
SIDE_PX = 256


def dataset(n_slides=5):
    """Slides of 20 x 3 patches, stride 192; slides 0 and 1 are of one patient."""
    y, x = np.mgrid[:3, :20] * 192
    tables = [
        pd.DataFrame(
            {
                "slide": f"s{n}",
                "patient": f"p{max(n, 1)}",
                "tissue": "Skin" if n % 2 else "Breast",
                "patch_id": np.arange(60),
                "x_px": x.ravel(),
                "y_px": y.ravel(),
                "T_NK": np.full(60, n),
            }
        )
        for n in range(n_slides)
    ]
    return pd.concat(tables, ignore_index=True)


def nuclei(table):
    """Nuclei along a line at y = 230 every 40 px, 30 px wide, drawn in each patch that they meet."""
    shown = []
    for patch in table.itertuples():
        if patch.y_px <= 230 < patch.y_px + SIDE_PX:
            left, right = patch.x_px, patch.x_px + SIDE_PX
            drawn = [n for n in range(1, 110) if left < n * 40 + 30 and n * 40 < right]
            shown += [(patch.patch_id, number) for number in drawn]
    return pd.DataFrame(shown, columns=["patch_id", "nucleus_id"])


def audited(table, splits, nuclei, side_px=SIDE_PX):
    return audit(table.assign(split=names_of(splits)), side_px, nuclei)


def bands(slide, rows, nuclei, guard_px, side_px=SIDE_PX):
    rule = SplitRule("space", SHARES, guard_px, seed=42)
    return plan_bands(slide, rows, ["T_NK"], side_px, nuclei, rule)


@pytest.fixture(scope="module")
def table():
    return dataset()


@pytest.fixture(scope="module")
def shown(table):
    return {slide: nuclei(rows) for slide, rows in table.groupby("slide")}


def test_auto_takes_patients_from_three_on():
    assert chosen_strategy("auto", 2) == "space"
    assert chosen_strategy("auto", 3) == "patient"
    assert chosen_strategy("slide", 9) == "slide"


def test_patients_stay_whole(table, shown):
    splits = plan_groups(table, "patient", ["T_NK"], SHARES, seed=1)
    found = audited(table, splits, shown)
    assert found == LeakAudit(0, 0, 0, 0, 0)
    assert set(names_of(splits)) == {"train", "valid", "test"}


def test_slides_stay_whole_though_a_patient_may_not(table, shown):
    splits = plan_groups(table, "slide", ["T_NK"], SHARES, seed=1)
    found = audited(table, splits, shown)
    assert (found.patches_sharing_pixels, found.shared_nuclei, found.shared_slides) == (0, 0, 0)
    assert np.bincount(splits).tolist() == [180, 60, 60]


@pytest.mark.parametrize("guard_px", [0, 64])
def test_bands_share_no_pixel_and_no_nucleus(table, shown, guard_px):
    splits = np.concatenate(
        [bands(slide, rows, shown[slide], guard_px) for slide, rows in table.groupby("slide")]
    )
    found = audited(table, splits, shown)
    assert found.leaks("space") == ""
    assert found.shared_slides == 5
    assert (splits >= 0).mean() > 0.7


def test_without_a_guard_the_nuclei_on_the_cut_cost_patches(table, shown):
    rows = table[table["slide"] == "s0"]
    none = pd.DataFrame({"patch_id": [], "nucleus_id": []}, dtype=np.int64)
    blind = bands("s0", rows, none, 0, side_px=192)
    seeing = bands("s0", rows, shown["s0"], 0, side_px=192)
    assert (blind >= 0).all()
    assert "shared_nuclei" in audited(rows, blind, shown, 192).leaks("space")
    assert audited(rows, seeing, shown, 192).leaks("space") == ""


def test_a_band_does_not_change_when_another_slide_joins(table, shown):
    rows = table[table["slide"] == "s3"]
    rule = SplitRule("space", SHARES, guard_px=64, seed=42)
    alone = plan_splits(rows.reset_index(drop=True), rule, ["T_NK"], SIDE_PX, shown)
    among = plan_splits(table, rule, ["T_NK"], SIDE_PX, shown)
    np.testing.assert_array_equal(alone, among[rows.index])


def test_the_audit_sees_every_kind_of_leak_of_shuffled_patches(table, shown):
    found = audited(table, plan_at_random(table, ["T_NK"], SHARES, 42), shown)
    assert found.leaks("random_leaky") == ""
    for name in ("pixels", "patches_sharing", "nuclei", "slides", "patients"):
        assert name in found.leaks("patient")


def test_a_random_split_shares_out_the_rarest_class_of_every_tissue():
    table = dataset().assign(B_Plasma=0)
    table.loc[table.index % 9 == 0, "B_Plasma"] = 1
    splits = plan_at_random(table, ["T_NK", "B_Plasma"], SHARES, 1)
    for _, rows in table.groupby("tissue"):
        shares = rows["B_Plasma"].groupby(splits[rows.index]).sum() / rows["B_Plasma"].sum()
        assert shares.tolist() == pytest.approx(SHARES, abs=0.05)


def test_the_rarest_class_of_a_slide_is_shared_out_by_bands(shown):
    table = dataset(1).assign(T_NK=30, B_Plasma=0)
    table.loc[(table["x_px"] > 2400), "B_Plasma"] = 2
    rule = SplitRule("space", SHARES, guard_px=0, seed=42)
    nuclei = {"s0": no_nuclei()}
    splits = plan_splits(table, rule, ["T_NK", "B_Plasma"], 192, nuclei)
    assert set(splits[(table["B_Plasma"] > 0) & (splits >= 0)]) == {0, 1, 2}
    blind = plan_splits(table, rule, ["T_NK"], 192, nuclei)
    assert set(blind[table["B_Plasma"] > 0]) != {0, 1, 2}


def test_patches_in_no_split_have_no_name():
    assert names_of(np.array([0, -1, 2], dtype=np.int8)).tolist() == ["train", None, "test"]


def test_a_dataset_without_patches_is_split_into_nothing(table):
    empty = table.iloc[:0]
    assert len(plan_groups(empty, "patient", ["T_NK"], SHARES, 1)) == 0
    assert audited(empty, np.empty(0, np.int8), {}) == LeakAudit(0, 0, 0, 0, 0)


@pytest.mark.parametrize("strategy", ["patient", "slide", "space", "random_leaky"])
def test_a_plan_keeps_what_its_strategy_promises(strategy):
    table = dataset()
    nuclei = {slide: no_nuclei() for slide in table["slide"].unique()}
    rule = SplitRule(strategy, SHARES, guard_px=8, seed=1)
    splits = plan_splits(table, rule, ["T_NK"], SIDE_PX, nuclei)
    assert set(splits) - {-1} == {0, 1, 2}
    assert audited(table, splits, nuclei).leaks(strategy) == ""


def no_nuclei():
    return pd.DataFrame({"patch_id": [], "nucleus_id": []}, dtype=np.uint32)
