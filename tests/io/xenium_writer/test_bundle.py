"""What is written must be read by the field's own reader, for every version."""

import importlib
import warnings

import numpy as np
import pytest
import shapely

from slides.five_cells import SHAPE_PX, five_cells
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM
from sthelar_build.core.simulation.versions import as_version
from sthelar_build.io.xenium_writer.bundle import write_bundle

BUNDLES = {
    "1.0.2": 1,
    "1.9.0": 1,
    "2.0.0": 4,
    "3.0.0": 1,
    "3.0.0-stained": 4,
    "4.0.0": 4,
}


@pytest.fixture(scope="module")
def reference_reader():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("spatialdata_io").xenium


@pytest.fixture(scope="module", params=BUNDLES)
def read_back(request, tmp_path_factory, reference_reader):
    """The slide as the version shows it, and what spatialdata-io reads of its bundle."""
    version = request.param.removesuffix("-stained")
    n_channels = BUNDLES[request.param]
    slide = five_cells()
    if n_channels == 1:
        slide = five_cells(channels=("DAPI",))
    folder = tmp_path_factory.mktemp("bundle") / "outs"
    write_bundle(folder, slide, xoa_version=version, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=DeprecationWarning)
        warnings.simplefilter("ignore", category=PendingDeprecationWarning)
        return version, as_version(slide, version), reference_reader(folder)


def test_the_cells_have_their_ids(read_back):
    _, slide, read = read_back
    assert read["table"].obs["cell_id"].astype(str).tolist() == slide.cells["cell_id"].tolist()
    assert read["cell_boundaries"].index.astype(str).tolist() == slide.cells["cell_id"].tolist()


def test_the_nuclei_belong_to_their_cells(read_back):
    version, slide, read = read_back
    found = read["nucleus_boundaries"]
    owners = found["cell_id"] if version >= "2" else found.index.to_series()
    expected = slide.cells["cell_id"].iloc[slide.nuclei["cell_row"]]
    assert owners.astype(str).tolist() == expected.tolist()
    rings = [len(ring) for ring in slide.nuclei["ring"]]
    assert shapely.get_num_coordinates(found.geometry.to_numpy()).tolist() == rings


def test_the_labels_are_the_polygons_at_pixel_centres(read_back):
    version, slide, read = read_back
    labels = {
        "cell_labels": (slide.cells, np.arange(len(slide.cells))),
        "nucleus_labels": (
            slide.nuclei,
            np.arange(len(slide.nuclei)) if version >= "2" else slide.nuclei["cell_row"].to_numpy(),
        ),
    }
    y_um, x_um = (np.indices(SHAPE_PX) + 0.5) * PIXEL_SIZE_UM
    for name, (frame, label) in labels.items():
        found = np.asarray(read[name]["scale0"]["image"])
        expected = np.zeros(SHAPE_PX, dtype=np.uint32)
        for geometry, number in zip(frame.geometry, label, strict=True):
            expected[shapely.contains_xy(geometry, x_um, y_um)] = number + 1
        np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore:.*reading array from closed file:UserWarning")
def test_the_images_have_their_channels_and_pixels(read_back):
    version, slide, read = read_back
    names = ["morphology_focus", *(["morphology_mip"] if version < "2" else [])]
    for name in names:
        image = read[name]["scale0"]["image"]
        if version >= "2":
            assert image["c"].values.tolist()[: len(slide.morphology)] == list(slide.morphology)
        for channel, pixels in enumerate(slide.morphology.values()):
            np.testing.assert_array_equal(image[channel], pixels)


def test_the_transcripts_are_all_there(read_back):
    _, slide, read = read_back
    points = read["transcripts"].compute().sort_values("transcript_id")
    expected = slide.features["name"].iloc[slide.transcripts["codeword_index"]]
    assert points["feature_name"].astype(str).tolist() == expected.tolist()
    np.testing.assert_array_equal(points["x"], slide.transcripts["x_um"])
    np.testing.assert_array_equal(points["qv"], slide.transcripts["qv"])


def test_the_matrix_counts_good_assigned_transcripts(read_back):
    _, slide, read = read_back
    t = slide.transcripts
    counted = t[(t["qv"] >= 20) & (t["cell_row"] >= 0) & (t["codeword_index"] < 3)]
    expected = np.zeros((len(slide.cells), 3))
    np.add.at(expected, (counted["cell_row"], counted["codeword_index"]), 1)
    assert read["table"].var_names.tolist() == ["EPCAM", "CD3E", "MYGENE"]
    np.testing.assert_array_equal(read["table"].X.toarray(), expected)


def test_the_same_slide_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        write_bundle(tmp_path / folder, five_cells(), xoa_version="3.0.0", seed=5)
    one = sorted(path for path in (tmp_path / "one").rglob("*") if path.is_file())
    different = [
        path.name
        for path in one
        if path.read_bytes() != (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
    ]
    assert (different, len(one)) == ([], 16)
