"""Every mistake is told by its own sentence, whatever way the H&E lies."""

from itertools import product

import numpy as np
import pytest

from sthelar_build.core.mistakes import diagnose, hypotheses
from sthelar_build.schema.frames import Affine, Frame

PIXEL_SIZE_UM = 0.2125
HE_UM_PER_PX = 0.35
WIDTH_PX, HEIGHT_PX = 2400, 1800
POINTS_UM = np.array([[80.0, 60], [700, 90], [120, 540], [650, 500], [400, 300]])
ORIENTATIONS = list(product((0, 90, 180, 270), (False, True)))


def he_to_morphology(degrees, mirrored) -> Affine:
    """Turn the H&E (by 7 degrees more) about its middle, which lies at (400, 300) um."""
    angle = np.radians(degrees + 7)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = turn @ np.diag([-1 if mirrored else 1, 1]) * HE_UM_PER_PX / PIXEL_SIZE_UM
    middle = np.array([WIDTH_PX, HEIGHT_PX]) / 2
    matrix[:2, 2] = np.array([400, 300]) / PIXEL_SIZE_UM - matrix[:2, :2] @ middle
    return Affine(matrix, Frame.HE, Frame.MORPHOLOGY)


def scaled(factor):
    return np.diag([factor, factor, 1.0])


SWAP = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]])
FLIP_X = np.array([[-1, 0, WIDTH_PX], [0, 1, 0], [0, 0, 1.0]])
FLIP_Y = np.array([[1, 0, 0], [0, -1, HEIGHT_PX], [0, 0, 1.0]])

MISTAKES = {
    "inverse": np.linalg.inv,
    "target in um": lambda true: scaled(PIXEL_SIZE_UM) @ true,
    "target divided twice": lambda true: scaled(1 / PIXEL_SIZE_UM) @ true,
    "source in um": lambda true: true @ scaled(1 / HE_UM_PER_PX),
    "source multiplied twice": lambda true: true @ scaled(HE_UM_PER_PX),
    "both in um": lambda true: scaled(PIXEL_SIZE_UM) @ true @ scaled(1 / HE_UM_PER_PX),
    "mirrored in x": lambda true: true @ FLIP_X,
    "mirrored in y": lambda true: true @ FLIP_Y,
    "upside down": lambda true: true @ FLIP_X @ FLIP_Y,
    "axes of the H&E swapped": lambda true: true @ SWAP,
    "axes of the morphology image swapped": lambda true: SWAP @ true,
    "axes swapped on both sides": lambda true: SWAP @ true @ SWAP,
    "level 4 of the H&E": lambda true: true @ scaled(4),
    "level 32 of the H&E": lambda true: true @ scaled(32),
    "level 1/2 of the H&E": lambda true: true @ scaled(1 / 2),
    "level 8 of the morphology image": lambda true: scaled(1 / 8) @ true,
}


def given(mistake, true) -> Affine:
    return Affine(MISTAKES[mistake](true.matrix), Frame.HE, Frame.MORPHOLOGY)


def possible(wrong, stated=HE_UM_PER_PX):
    return hypotheses(wrong, (WIDTH_PX, HEIGHT_PX), PIXEL_SIZE_UM, stated)


def said(wrong, true):
    return diagnose(wrong, possible(wrong), true, POINTS_UM, PIXEL_SIZE_UM)


@pytest.mark.parametrize(("degrees", "mirrored"), ORIENTATIONS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_mistake_is_undone_and_named(mistake, degrees, mirrored):
    true = he_to_morphology(degrees, mirrored)
    wrong = given(mistake, true)
    every = {one.name: one for one in possible(wrong)}
    assert every[mistake].he_to_morphology.matrix == pytest.approx(true.matrix)
    assert said(wrong, true) == every[mistake].sentence
    where_px = every[mistake].um_to_he.apply(POINTS_UM)
    assert true.apply(where_px) * PIXEL_SIZE_UM == pytest.approx(POINTS_UM)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_found_map_that_is_off_by_a_few_um_names_the_same_mistake(mistake):
    true = he_to_morphology(90, mirrored=True)
    wrong = given(mistake, true)
    off = true.matrix.copy()
    off[:2, 2] += 3 / PIXEL_SIZE_UM
    found = Affine(off, Frame.HE, Frame.MORPHOLOGY)
    assert said(wrong, found) == said(wrong, true)


def test_names_and_sentences_differ():
    every = possible(he_to_morphology(0, mirrored=False))
    assert len({one.name for one in every}) == len({one.sentence for one in every}) == len(every)
    assert every[0].sentence.startswith("the matrix looks like the inverse of the one needed")


def test_without_a_stated_pixel_size_nothing_is_said_of_um_of_the_h_and_e():
    names = [one.name for one in possible(he_to_morphology(0, mirrored=False), stated=None)]
    assert "target in um" in names
    assert "source in um" not in names


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((3.0, 1.0, False, 0), "it is turned by 3 degrees against the right one"),
        ((90.0, 1.0, False, 0), "it is turned by 90 degrees against"),
        ((0.0, 1.04, False, 0), "it is 4.0% too large against"),
        ((0.0, 0.3, False, 0), "3.33 times too small"),
        (
            (0.0, 1.0, False, 60),
            "puts the H&E 60 um from where the nuclei fit: it is moved by 60 um",
        ),
        ((45.0, 1.0, True, 0), "it is mirrored and turned by 45 degrees"),
    ],
)
def test_what_is_no_known_mistake_is_described(change, words):
    degrees, scale, mirrored, away_um = change
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    about = np.eye(3)
    about[:2, :2] = turn @ np.diag([-1 if mirrored else 1, 1])
    centre = POINTS_UM.mean(axis=0) / PIXEL_SIZE_UM
    about[:2, 2] = centre - about[:2, :2] @ centre + [away_um / PIXEL_SIZE_UM, 0]
    true = he_to_morphology(180, mirrored=False)
    wrong = Affine(about @ true.matrix, Frame.HE, Frame.MORPHOLOGY)
    assert words in said(wrong, true)


def test_only_what_lies_far_off_may_be_of_another_region():
    true = he_to_morphology(0, mirrored=False)
    for away_um, said_so in ((10, False), (200, True)):
        moved = true.matrix.copy()
        moved[0, 2] += away_um / PIXEL_SIZE_UM
        wrong = Affine(moved, Frame.HE, Frame.MORPHOLOGY)
        assert ("another region" in said(wrong, true)) is said_so


def test_the_right_matrix_has_no_diagnosis():
    true = he_to_morphology(270, mirrored=True)
    assert said(true, true) is None


def test_where_nothing_fits_the_slide_is_another():
    true = he_to_morphology(0, mirrored=False)
    assert "of another slide" in said(true, None)
