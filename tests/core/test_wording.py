"""Numbers and facts in words."""

from sthelar_build.core.wording import count, in_words, number, percent, size, tally


def test_words_are_counted_by_word_and_nulls_left_out():
    assert tally(["guard", None, float("nan"), "outside", "guard"]) == "2 guard, 1 outside"
    assert tally([]) == tally([None]) == "none"


def test_numbers_without_a_value_are_a_dash():
    assert number(None) == number(float("nan")) == percent(None) == "\N{EN DASH}"


def test_shares_never_round_to_nothing_or_all():
    assert [percent(s) for s in (0, 0.0001, 0.5, 0.9999, 1)] == [
        "0.0 %",
        "< 0.1 %",
        "50.0 %",
        "> 99.9 %",
        "100.0 %",
    ]


def test_thousands_are_set_apart():
    assert count(1234567) == "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567"


def test_facts_are_one_line_and_long_lists_a_length():
    assert in_words({"a": 0.123456, "b": [1, 2]}) == "a 0.1235, b 1, 2"
    assert in_words(list(range(9))) == "9"
    assert in_words(None) == "\N{EN DASH}"
    assert in_words(True) == "True"


def test_sizes_have_the_unit_that_fits():
    assert [size(n) for n in (0, 999, 1000, 12_345_678, 58_300_000_000, 2.5e12)] == [
        "0 B", "999 B", "1 kB", "12.3 MB", "58.3 GB", "2.5 TB",
    ]  # fmt: skip
