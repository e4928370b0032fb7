from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from slides.five_cells import FEATURES, five_cells
from sthelar_build.core.simulation.redraw import Redraw

_CODES = np.arange(len(FEATURES))


def block(labels, n_each, codes, mixed_with=None):
    """Five cells with so many molecules each, whose codewords come by turns from ``codes[label]``; ten lie in none."""
    slide = five_cells()
    row = np.repeat(np.arange(5), n_each)
    codeword = [
        codes[label][i % len(codes[label])] for i, label in enumerate(np.array(labels)[row])
    ]
    slide.cells["fine_label"] = labels
    slide.cells["mixed_with"] = mixed_with or [None] * 5
    n = len(row) + 10
    table = {
        "cell_row": np.r_[row, [-1] * 10],
        "codeword_index": np.r_[codeword, [7] * 10].astype(np.int32),
    }
    table |= {"qv": np.linspace(0, 40, n), "x_um": np.linspace(0, 30, n)}
    return replace(slide, transcripts=pd.DataFrame(table).sample(frac=1, random_state=0))


def shares(table, row):
    codeword = table.loc[table["cell_row"] == row, "codeword_index"]
    return np.bincount(codeword, minlength=len(_CODES)) / max(len(codeword), 1)


TYPES = ["A", "A", "B", "B", "B"]
CODES = {"A": [0, 1], "B": [2]}


def test_only_what_molecules_are_changes():
    before = block(TYPES, 40, CODES)
    after = Redraw.of([before], 1, 0.4)(before, "here")
    same = ["cell_row", "qv", "x_um"]
    pd.testing.assert_frame_equal(after[same], before.transcripts[same])
    assert after["codeword_index"].dtype == np.int32


def test_a_cell_keeps_to_the_profile_of_its_type_with_noise_of_its_own():
    slide = block(TYPES, 400, CODES)
    after = Redraw.of([slide], 1, 0.4)(slide, "here")
    assert [shares(after, row)[:2].sum() for row in range(2)] == [1, 1]
    assert [shares(after, row)[2] for row in range(2, 5)] == [1, 1, 1]
    # A binomial of 400 would stay within 0.1 of one half.
    spread = [shares(Redraw.of([slide], 1, 0.4)(slide, str(n)), 0)[0] for n in range(40)]
    assert np.mean(spread) == pytest.approx(0.5, abs=0.1)
    assert np.std(spread) > 0.1


def test_a_mixed_cell_has_molecules_of_both_types_and_teaches_neither():
    slide = block(TYPES, 400, CODES, ["B", None, None, None, None])
    redraw = Redraw.of([slide], 1, 0.4)
    np.testing.assert_allclose(redraw.profiles[:2, :3], [[0.5, 0.5, 0], [0, 0, 1]])
    drawn = [shares(redraw(slide, str(n)), 0)[2] for n in range(40)]
    assert np.mean(drawn) == pytest.approx(0.4, abs=0.1)


def test_two_places_have_different_cells_and_one_place_has_the_same_again():
    slide = block(TYPES, 400, CODES)
    redraw = Redraw.of([slide], 1, 0.4)
    once, again, elsewhere = (redraw(slide, name)["codeword_index"].tolist() for name in "aab")
    assert once == again
    assert once != elsewhere


def test_molecules_between_cells_are_shuffled():
    slide = five_cells()
    after = Redraw.of([slide], 1, 0.4)(slide, "here")
    between = slide.transcripts["cell_row"] < 0
    before = slide.transcripts.loc[between, "codeword_index"]
    assert sorted(after.loc[between, "codeword_index"]) == sorted(before)
    assert after.loc[between, "codeword_index"].tolist() != before.tolist()


def test_a_type_without_molecules_of_its_own_takes_the_profile_of_all():
    # The one pure cell of B has no molecule; a mixed one has.
    slide = block(["A", "A", "A", "B", "B"], [100, 100, 100, 0, 100], CODES, [None] * 4 + ["A"])
    redraw = Redraw.of([slide], 1, 0.4)
    np.testing.assert_allclose(redraw.profiles[1, :3], [0.375, 0.375, 0.25])
    assert (redraw(slide, "here")["codeword_index"] >= 0).all()


def test_a_block_without_molecules_in_cells_keeps_the_others():
    slide = block(TYPES, 0, CODES)
    after = Redraw.of([slide], 1, 0.4)(slide, "here")
    assert after["codeword_index"].tolist() == [7] * 10
