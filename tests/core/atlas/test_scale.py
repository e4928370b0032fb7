"""The scale of a matrix is read off its values."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.atlas.scale import scale_of

COUNTS = np.random.default_rng(0).poisson(1.5, (20, 30)).astype(np.float32)
COUNTS[:, 0] += 1
NORMALISED = 1e4 * COUNTS / COUNTS.sum(axis=1, keepdims=True)


def of(values):
    return scale_of(sp.csr_matrix(np.asarray(values, dtype=np.float32)))


def test_whole_numbers_are_counts():
    assert (of(COUNTS).kind, of(COUNTS).in_words) == ("raw", "counts")


def test_equal_sums_are_normalised_values_whatever_the_sum():
    assert of(NORMALISED).in_words == "values normalised to 10,000 per cell"
    assert of(NORMALISED / 1e4).in_words == "shares (sum 1)"
    assert of(NORMALISED).kind == of(NORMALISED / 1e4).kind == "normalised"


@pytest.mark.parametrize(
    ("logarithm", "base"),
    [(np.log1p, math.e), (lambda x: np.log2(1 + x), 2), (lambda x: np.log10(1 + x), 10)],
)
@pytest.mark.parametrize("linear", [COUNTS, NORMALISED], ids=["counts", "normalised"])
def test_a_logarithm_is_told_with_its_base_and_undone(logarithm, base, linear):
    found = of(logarithm(linear))
    assert (found.kind, found.base, found.is_guessed) == ("logged", base, False)
    values = logarithm(linear).astype(np.float32).ravel()
    np.testing.assert_allclose(found.linear(values), linear.ravel(), rtol=1e-4, atol=1e-4)


def test_the_words_name_what_the_logarithm_is_of():
    assert of(np.log1p(COUNTS)).in_words == "log(1 + x) of counts"
    assert (
        of(np.log2(1 + NORMALISED)).in_words
        == "log2(1 + x) of values normalised to 10,000 per cell"
    )


def test_linear_values_are_left_as_they_are():
    assert of(COUNTS).linear(np.array([3, 0], np.float32)).tolist() == [3, 0]
    assert of(NORMALISED).linear(np.array([0.5], np.float32)).tolist() == [0.5]


def test_genes_that_were_filtered_after_normalising_do_not_hide_it():
    assert of(np.log1p(NORMALISED)[:, :-1]).base == math.e
    assert of(NORMALISED[:, :-1]).kind == "normalised"


def test_a_part_of_the_genes_is_guessed_by_the_size_of_the_values():
    few = np.log1p(NORMALISED)[:, :4]
    assert (of(few).kind, of(few).is_guessed) == ("logged", True)
    assert (of(NORMALISED[:, :4]).kind, of(NORMALISED[:, :4]).is_guessed) == ("normalised", True)


def test_stored_zeros_do_not_matter():
    cells = sp.csr_matrix(np.log1p(COUNTS))
    cells.data[:3] = 0
    assert scale_of(cells).in_words == "log(1 + x) of counts"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([[1.0, -0.5], [0, 2]], "scaled"),
        ([[1.0, np.nan], [0, 2]], "broken"),
        ([[1.0, np.inf], [0, 2]], "broken"),
        ([[0.0, 0], [0, 0]], "empty"),
        (np.zeros((0, 3)), "empty"),
    ],
)
def test_what_is_no_expression_is_of_no_use(values, kind):
    assert (of(values).kind, of(values).is_usable) == (kind, False)


def test_the_order_of_cells_and_genes_does_not_matter():
    order = np.random.default_rng(1).permutation(20)
    for values in (COUNTS, NORMALISED, np.log1p(NORMALISED), np.log1p(NORMALISED)[:, :4]):
        assert of(values[order][:, ::-1]) == of(values)
