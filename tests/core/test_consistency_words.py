"""What stands out is said in a sentence, and what cannot be judged is said too."""

import pandas as pd
import pytest

from sthelar_build.core.consistency import CONSISTENCY_COLUMNS
from sthelar_build.core.consistency_words import conflict_words, flag_words, page_facts

ROW = {
    "slide": "s5",
    "tissue": "Breast",
    "class": "T_NK",
    "n_cells": 500,
    "share": 0.5,
    "compared_with": "tissue",
    "n_slides": 6,
    "median_share": 0.25,
    "share_deviation": 4.04,
    "marker_distance": 1.26,
    "marker_deviation": 5.0,
    "deviant_genes": "EPCAM +2.1",
    "flag": None,
    "reason": None,
}


def table(*changes):
    return pd.DataFrame([{**ROW, **change} for change in changes], columns=CONSISTENCY_COLUMNS)


def test_a_flag_says_where_by_how_much_and_against_whom():
    assert flag_words({**ROW, "flag": "composition"}) == (
        "s5, T_NK: 50.0 % of the cells, 25.0 % in the median of the 6 slides of Breast (+4.0 deviations)"
    )
    assert flag_words({**ROW, "flag": "markers", "compared_with": "all"}) == (
        "s5, T_NK: markers unlike those on the 6 slides by 1.3 log2 steps (+5.0 deviations): EPCAM +2.1"
    )
    assert flag_words({**ROW, "flag": "composition;markers"}).count(";") == 1


def test_a_conflict_names_classes_and_slides():
    words = conflict_words("Mast", {"Myeloid": ["a", "b"], "Other": ["c"]})
    assert words.startswith(
        "Mast is one fine label but several classes (Myeloid on a, b; Other on c)"
    )


def test_the_page_has_a_row_per_slide_and_a_cell_per_class_in_order():
    rows = [{"slide": slide, "class": name} for slide in ("a", "b") for name in ("Other", "T_NK")]
    rows[3] |= {"flag": "composition"}
    page = page_facts(table(*rows), {}, 12, 4)
    assert page["classes"] == ["T_NK", "Other"]
    assert [row["slide"] for row in page["rows"]] == ["a", "b"]
    assert [bool(cell["flag"]) for row in page["rows"] for cell in row["cells"]] == [0, 0, 1, 0]
    assert len(page["flags"]) == 1
    assert (page["judged"], page["n_compared"], page["n_genes"]) == (True, 4, 12)


@pytest.mark.parametrize(("n", "words"), [(1, "1 slide is too few"), (3, "3 slides are too few")])
def test_too_few_slides_are_said(n, words):
    nothing = {"share_deviation": float("nan"), "marker_deviation": float("nan")}
    page = page_facts(table(*({**nothing, "slide": str(i)} for i in range(n))), {}, 12, 4)
    assert not page["judged"]
    assert page["unjudged"].startswith(words)
    enough = table(*({"slide": str(i)} for i in range(4)))
    assert page_facts(enough, {}, 12, 4)["unjudged"] == ""
