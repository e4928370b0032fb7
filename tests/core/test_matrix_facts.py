"""A matrix taken apart."""

import numpy as np
import pytest

from sthelar_build.core.matrix_facts import matrix_facts
from sthelar_build.schema.frames import Affine, Frame


def facts(linear, pixel_size_um=0.2):
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = [500, -70]
    return matrix_facts(Affine(matrix, Frame.HE, Frame.MORPHOLOGY), pixel_size_um)


def turned(degrees):
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_a_plain_enlargement_is_nothing_else():
    found = facts(1.5 * np.eye(2))
    assert (found.mirrored, found.rotation_deg) == (False, 0)
    assert (found.anisotropy, found.shear_deg) == pytest.approx((1, 0))
    assert found.um_per_px == pytest.approx(0.3)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [-135, -90, -1.5, 0, 30, 90, 180])
def test_turn_and_mirror_are_told_apart(degrees, mirrored):
    linear = 2 * turned(degrees) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    found = facts(linear)
    assert found.mirrored is mirrored
    apart = (found.rotation_deg - degrees + 180) % 360 - 180
    assert apart == pytest.approx(0, abs=1e-9)
    assert found.anisotropy == pytest.approx(1)


def test_a_stretch_along_one_axis_is_an_anisotropy_without_shear():
    found = facts(turned(20) @ np.diag([1.1, 1.0]))
    assert found.anisotropy == pytest.approx(1.1)
    assert found.shear_deg == pytest.approx(0, abs=1e-9)


def test_a_shear_is_the_lost_right_angle():
    found = facts(turned(70) @ np.array([[1, np.tan(np.radians(4))], [0, 1]]))
    assert found.shear_deg == pytest.approx(4)
