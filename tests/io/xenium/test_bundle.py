import json
import shutil

import pyarrow.parquet as pq
import pytest

from slides.five_cells import copy_of_bundle, remove_table
from sthelar_build.errors import InputError
from sthelar_build.io.xenium.bundle import open_bundle

LAYOUTS = {"1.0.2": "1.0", "1.9.0": "1.3", "2.0.0": "2.0", "3.0.0": "2.0", "4.0.0": "4.0"}


@pytest.fixture
def bundle(tmp_path):
    """The folder of a bundle of 3.0.0, to break."""
    return copy_of_bundle(tmp_path / "outs", "3.0.0").folder


def change_specification(folder, **changes):
    path = folder / "experiment.xenium"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("version", LAYOUTS)
def test_the_layout_is_seen_from_the_files(tmp_path, version):
    found = copy_of_bundle(tmp_path / "outs", version)
    assert (found.xoa_version, found.layout) == (version, LAYOUTS[version])
    assert found.pixel_size_um == 0.2125
    assert found.morphology.is_file()


def test_the_version_of_xenium_ranger_governs_where_it_has_run(bundle):
    change_specification(
        bundle, xenium_ranger={"version": "xenium-3.1.0.4", "command": "resegment"}
    )
    assert open_bundle(bundle).xoa_version == "3.1.0.4"


def test_a_version_of_another_form_is_unknown_and_does_no_harm(bundle):
    change_specification(bundle, analysis_sw_version="develop")
    found = open_bundle(bundle)
    assert (found.xoa_version, found.layout) == ("unknown", "2.0")


def test_files_that_macos_leaves_behind_are_ignored(bundle):
    (bundle / "morphology_focus" / "._morphology_focus_0000.ome.tif").write_bytes(b"junk")
    assert open_bundle(bundle).morphology.name == "morphology_focus_0000.ome.tif"


def test_an_old_bundle_without_focus_image_gives_the_projection(tmp_path):
    old = copy_of_bundle(tmp_path / "outs", "1.9.0").folder
    (old / "morphology_focus.ome.tif").unlink()
    assert open_bundle(old).morphology.name == "morphology_mip.ome.tif"


@pytest.mark.parametrize(
    "name",
    [
        "experiment.xenium",
        "cells.parquet",
        "nucleus_boundaries.parquet",
        "transcripts.parquet",
        "cell_feature_matrix.h5",
    ],
)
def test_a_missing_file_is_named(bundle, name):
    remove_table(bundle, name)
    with pytest.raises(InputError, match=name):
        open_bundle(bundle)


def test_a_missing_image_is_named(bundle):
    shutil.rmtree(bundle / "morphology_focus")
    with pytest.raises(InputError, match=r"ch0000_dapi\.ome\.tif"):
        open_bundle(bundle)


@pytest.mark.parametrize("text", ["{", "[]", '{"pixel_size": "0.2"}', '{"pixel_size": true}', "{}"])
def test_a_specification_that_says_no_pixel_size_is_refused(bundle, text):
    (bundle / "experiment.xenium").write_text(text)
    with pytest.raises(InputError, match=r"experiment\.xenium: expected"):
        open_bundle(bundle)


def test_a_missing_column_is_named_with_those_found(bundle):
    path = bundle / "transcripts.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["qv"]), path)
    with pytest.raises(InputError, match=r"found no qv among transcript_id"):
        open_bundle(bundle)
