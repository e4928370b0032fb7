"""Files that were lost, cut short, mixed up or damaged on their way: one line that names the file."""

import pytest

from bad_input import damage
from bad_input.refusals import ATLAS, BUNDLE, HE, MATRIX

FILES = {
    f"{BUNDLE}/experiment.xenium": "JSON",
    f"{BUNDLE}/cells.parquet": "parquet",
    f"{BUNDLE}/nucleus_boundaries.parquet": "parquet",
    f"{BUNDLE}/cell_boundaries.parquet": "parquet",
    f"{BUNDLE}/transcripts.parquet": "parquet",
    f"{BUNDLE}/cell_feature_matrix.h5": "matrix",
    f"{BUNDLE}/morphology_focus/morphology_focus_0000.ome.tif": "image",
    HE: "H&E",
    MATRIX: "alignment",
    ATLAS: "h5ad",
}
"""File -> a word of what was expected there."""
DAMAGES = {
    "gone": damage.gone,
    "empty": damage.emptied,
    "cut in half": damage.halved,
    "a login page": damage.a_login_page,
    "a png": damage.a_png,
    "a zip": damage.a_zip,
    "a folder": damage.a_folder,
}


OPTIONAL = f"{BUNDLE}/cell_boundaries.parquet"
CASES = [(how, name) for name in FILES for how in DAMAGES if (how, name) != ("gone", OPTIONAL)]


@pytest.mark.parametrize(("how", "name"), CASES)
def test_it_is_named(slide, name, how):
    DAMAGES[how](slide.raw / name)
    slide.is_refused(slide.preflight(), name.rpartition("/")[2], "expected")


def test_good_files_pass_so_that_these_tests_mean_something(slide):
    status, said = slide.run(*slide.preflight())
    assert status == 0, said
    assert [path.name for path in slide.out.iterdir()] == ["preflight.json"]
