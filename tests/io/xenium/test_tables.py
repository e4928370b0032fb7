import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slides.five_cells import FEATURES, copy_of_bundle, shown_slide, vendor_matrix
from sthelar_build.errors import InputError
from sthelar_build.io.xenium import tables as xenium_tables
from sthelar_build.io.xenium.tables import (
    read_cells,
    read_features,
    transcript_batches,
)
from sthelar_build.schema import tables

VERSIONS = ["1.0.2", "1.9.0", "2.0.0", "3.0.0", "4.0.0"]
CATEGORIES = [
    "gene",
    "gene",
    "gene",
    "negative_control_probe",
    "negative_control_codeword",
    "unassigned_codeword",
    "deprecated_codeword",
    "genomic_control_probe",
]


@pytest.fixture(params=VERSIONS)
def written(request, tmp_path):
    """The slide as the version shows it, and its bundle."""
    return shown_slide(request.param), copy_of_bundle(tmp_path / "outs", request.param)


def read_transcripts(bundle, categories=None):
    known = (
        dict(zip(FEATURES["name"], CATEGORIES, strict=True)) if categories is None else categories
    )
    return pa.concat_tables(transcript_batches(bundle, known)).to_pandas()


def test_the_features_have_their_category(written):
    _, bundle = written
    features = read_features(bundle)
    assert features["name"].tolist() == FEATURES["name"].tolist()
    assert features["id"].tolist() == FEATURES["id"].tolist()
    assert features["category"].tolist() == CATEGORIES


def test_the_cells_come_in_the_order_of_the_bundle(written):
    slide, bundle = written
    cells = read_cells(bundle)
    assert cells["cell_id"].tolist() == slide.cells["cell_id"].tolist()
    np.testing.assert_allclose(cells["x_um"], slide.cells.centroid.x)
    methods = slide.cells["segmentation_method"]
    assert cells["segmentation_method"].fillna("").tolist() == methods.fillna("").tolist()


def test_the_rows_of_the_matrix_are_the_cells(written):
    slide, bundle = written
    matrix = vendor_matrix(bundle)
    assert matrix.obs_names.tolist() == slide.cells["cell_id"].tolist()
    assert matrix.var["gene_ids"].tolist() == read_features(bundle)["id"].tolist()


def test_transcripts_are_the_same_for_every_version(written):
    slide, bundle = written
    found, truth = read_transcripts(bundle), slide.transcripts
    cell_ids = np.append(slide.cells["cell_id"], None)[truth["cell_row"]]
    assert found["cell_id"].where(found["cell_id"].notna(), None).tolist() == cell_ids.tolist()
    assert found["transcript_id"].tolist() == truth["transcript_id"].tolist()
    assert found["overlaps_nucleus"].tolist() == truth["overlaps_nucleus"].tolist()
    for column in ("x_um", "y_um", "z_um", "qv"):
        np.testing.assert_array_equal(found[column], truth[column])
    expected = FEATURES["name"].iloc[truth["codeword_index"]]
    assert found["feature_name"].tolist() == expected.tolist()
    assert found["category"].tolist() == np.array(CATEGORIES)[truth["codeword_index"]].tolist()


def test_transcripts_come_in_batches_of_our_schema(written, monkeypatch):
    _, bundle = written
    monkeypatch.setattr(xenium_tables, "ROWS_AT_A_TIME", 250)
    batches = list(transcript_batches(bundle, {}))
    assert [batch.num_rows for batch in batches] == [250, 250, 100]
    assert {tables.mismatch(batch.schema, tables.TRANSCRIPTS) for batch in batches} == {None}


@pytest.fixture
def old_bundle(tmp_path):
    return copy_of_bundle(tmp_path / "outs", "1.9.0")


def test_a_feature_that_the_matrix_lacks_is_told_by_its_name(old_bundle):
    found = read_transcripts(old_bundle, {"EPCAM": "gene"})
    by_name = dict(zip(found["feature_name"], found["category"], strict=True))
    assert by_name["EPCAM"] == "gene"
    assert by_name["CD3E"] == "unknown"
    assert by_name["NegControlProbe_00001"] == "negative_control_probe"
    assert by_name["Intergenic_Region_7"] == "genomic_control_probe"


def test_a_cell_that_comes_twice_is_refused(old_bundle):
    path = old_bundle.path("cells.parquet")
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    with pytest.raises(InputError, match="pppppppp-12 twice"):
        read_cells(old_bundle)


def test_a_matrix_that_is_cut_short_is_refused(old_bundle):
    path = old_bundle.path("cell_feature_matrix.h5")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match="truncated"):
        read_features(old_bundle)


def test_damaged_pages_are_refused(old_bundle):
    path = old_bundle.path("transcripts.parquet")
    data = bytearray(path.read_bytes())
    data[10:4000] = bytes(3990)
    path.write_bytes(data)
    with pytest.raises(InputError, match="damage"):
        list(transcript_batches(old_bundle, {}))


def test_no_method_is_null_not_a_word(old_bundle):
    assert read_cells(old_bundle)["segmentation_method"].isna().all()
    assert isinstance(read_cells(old_bundle), pd.DataFrame)
