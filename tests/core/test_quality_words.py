"""The figures of a registration in words."""

from sthelar_build.core.quality_words import alternatives, decay_points, figures, kept_words
from sthelar_build.core.wording import NO_VALUE

QUALITY = {
    "n_measured": 1200,
    "agreeing": 0.975,
    "coherent": 0.98,
    "drop": 0.41,
    "decay": {"shift_um": [0, 1, 2, 4, 8], "correlation": [0.52, 0.45, 0.3, 0.1, None]},
    "matched": {"n_nuclei": 400, "n_matched": 300, "median_um": 0.82, "p95_um": 2.1},
    "inside": 1.0,
    "on_tissue": 0.93,
    "matrix": {
        "um_per_px": 0.27381,
        "rotation_deg": -90.04,
        "mirrored": True,
        "anisotropy": 1.001,
        "shear_deg": 0.02,
    },
    "stated_um_per_px": 0.25,
    "distortion": {"smooth_um": 3.14, "corrected": True},
}


def test_every_figure_has_a_value_and_a_meaning():
    rows = {name: (value, meaning) for name, value, meaning in figures(QUALITY)}
    assert rows["Tiles that agree"][0] == "97.5 % of 1\N{NARROW NO-BREAK SPACE}200"
    assert rows["Correlation, and its fall"][0] == "0.52, 0.41"
    assert rows["Nuclei with a partner"][0] == "75.0 %"
    assert rows["Distortion of the section"][0] == "3.14 µm, corrected"
    assert rows["Pixel of the H&E"] == (
        "0.2738 µm",
        "As the alignment implies; the file states 0.2500 µm.",
    )
    assert rows["Orientation"][0] == "mirrored, then turned by -90.0°"
    assert all(value and meaning for value, meaning in rows.values())


def test_an_old_file_has_no_figures():
    assert figures({}) == []
    assert decay_points({}) == []
    assert alternatives({}, None) == []
    assert kept_words(None) is None


def test_what_is_not_known_is_a_dash():
    rows = {
        name: value for name, value, _ in figures({"n_measured": 0, "decay": {"correlation": None}})
    }
    assert rows["Nuclei with a partner"] == NO_VALUE
    assert rows["Distortion of the section"] == NO_VALUE
    assert rows["Correlation, and its fall"] == f"{NO_VALUE}, {NO_VALUE}"


def test_the_decay_ends_where_the_search_does():
    assert decay_points(QUALITY) == [(0, 0.52), (1, 0.45), (2, 0.3), (4, 0.1)]


def test_what_was_kept_is_marked():
    found = {
        "given": {"median_um": 1.5, "p95_um": 2.4, "agreeing": 0.8},
        "refined": {"median_um": 0.1, "p95_um": None, "agreeing": 1.0},
    }
    rows = alternatives(found, "refined")
    assert [row.kept for row in rows] == [False, True]
    assert (rows[0].source, rows[0].median, rows[0].agreeing) == ("as given", "1.50 µm", "80.0 %")
    assert rows[1].p95 == NO_VALUE
    assert kept_words("refined") == "given and refined"
