"""Corrections from the shifts of tiles, and what they are worth."""

import json

import numpy as np
import pytest

from sthelar_build.core.correction import CorrectedMap, Correction
from sthelar_build.core.correction_fit import fit_correction, total_shifts
from sthelar_build.schema.frames import Affine, Frame

PITCH_UM = 100.0


def tiles(side=40):
    return np.stack(np.meshgrid(*[np.arange(side)] * 2), axis=-1).reshape(-1, 2) * PITCH_UM


def wave(points, amplitude_um=10.0, length_um=1500.0):
    direction = np.array([0.6, 0.8]) * amplitude_um
    return np.sin(points @ [0.8, 0.6] * 2 * np.pi / length_um)[:, None] * direction


def noisy(shifts, sd_um=0.3, wrong=0.15, seed=0):
    rng = np.random.default_rng(seed)
    found = shifts + rng.normal(0, sd_um, shifts.shape)
    lost = rng.random(len(shifts)) < wrong
    found[lost] = rng.uniform(-20, 20, (lost.sum(), 2))
    return found, lost


def lengths(vectors):
    return np.linalg.norm(vectors, axis=1)


def test_a_wave_is_found_beneath_noise_and_wrong_tiles():
    shifts, lost = noisy(wave(tiles()))
    fit = fit_correction(tiles(), shifts)
    places = np.random.default_rng(1).uniform(0, 3900, (2000, 2))
    off_um = lengths(fit.correction.shifts(places) - wave(places))
    assert np.quantile(off_um, 0.95) < 0.5
    assert abs(fit.n_rejected - lost.sum()) < 0.05 * lost.sum()
    assert fit.helps
    assert fit.smooth_um == pytest.approx(10, abs=0.3)
    assert (fit.without.p95_um, fit.held_out.p95_um) == pytest.approx((10, 0.8), abs=0.4)


@pytest.mark.parametrize("side", [6, 12, 40])
def test_noise_is_not_corrected(side):
    shifts, _ = noisy(np.zeros((side**2, 2)))
    fit = fit_correction(tiles(side), shifts)
    assert not fit.helps
    assert fit.smooth_um < 0.3
    assert fit.correction.largest_um < 0.6


def test_holes_and_tiles_that_were_not_measured_are_crossed():
    shifts, _ = noisy(wave(tiles(), length_um=3000))
    hole = (np.abs(tiles() - [2000, 1500]) < 350).all(axis=1)
    shifts[hole | (tiles()[:, 0] > 3600)] = np.nan
    fit = fit_correction(tiles(), shifts)
    assert fit.n_tiles == np.isfinite(shifts[:, 0]).sum()
    assert lengths(fit.correction.shifts(tiles()) - wave(tiles(), length_um=3000)).max() < 4
    assert fit.correction.largest_um < 11.5


def test_too_few_tiles_say_nothing():
    shifts = np.zeros((1600, 2))
    shifts[29:] = np.nan
    assert fit_correction(tiles(), shifts) is None


def test_heavy_tiles_count_more():
    shifts = np.zeros((1600, 2))
    shifts[::2] = 0.6
    fit = fit_correction(tiles(), shifts, np.where(np.arange(1600) % 2, 99.0, 1.0))
    np.testing.assert_allclose(fit.correction.shifts(tiles()), 0.006, atol=0.002)


def test_the_order_of_the_tiles_makes_no_difference():
    shifts, _ = noisy(wave(tiles()))
    order = np.random.default_rng(3).permutation(len(shifts))
    one, other = fit_correction(tiles(), shifts), fit_correction(tiles()[order], shifts[order])
    np.testing.assert_allclose(one.correction.shift_um, other.correction.shift_um, atol=2e-4)


def test_the_figures_can_be_written():
    shifts, _ = noisy(wave(tiles(12)))
    record = fit_correction(tiles(12), shifts).record()
    assert json.loads(json.dumps(record)) == record
    assert (record["n_tiles"], record["helps"]) == (144, True)
    assert set(record["held_out"]) == {"median_um", "p95_um"}


def test_a_shift_measured_with_a_correction_adds_to_it():
    """The H&E shows ``um_to_he(p + truth(p))`` where Xenium has p, and windows are drawn through the corrected map."""
    to_he = Affine.scaling(4, Frame.UM, Frame.HE)
    level = Correction(-500, -500, 200, np.full((30, 30, 2), [6.0, 2.0]))
    shown_um = to_he.inverse().apply(CorrectedMap(level, to_he).apply(tiles()))
    shifts = tiles() + wave(tiles()) - shown_um
    np.testing.assert_allclose(total_shifts(tiles(), shifts, level), wave(tiles()), atol=1e-9)
    assert total_shifts(tiles(), shifts, None) is shifts


def test_fitting_again_on_top_of_a_correction_comes_closer():
    """Windows average over what they show, so that the first correction is too weak."""
    truth = wave(tiles())
    first = fit_correction(tiles(), 0.7 * truth)
    left = truth - first.correction.shifts(tiles())
    again = fit_correction(tiles(), 0.7 * left, so_far=first.correction)
    before, after = (
        np.quantile(lengths(fit.correction.shifts(tiles()) - truth), 0.95) for fit in (first, again)
    )
    assert after < 0.5 * before
