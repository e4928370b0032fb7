import anndata
import numpy as np
import pytest
import shapely

from slides.five_cells import TWO_NUCLEI, copy_of_bundle, shown_slide, vendor_matrix
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.simulate import simulate_scene
from sthelar_build.core.simulation.versions import as_version
from sthelar_build.errors import InputError
from sthelar_build.io import transcripts
from sthelar_build.io.xenium.bundle import open_bundle
from sthelar_build.io.xenium.tables import read_features
from sthelar_build.io.xenium_writer.bundle import write_bundle
from sthelar_build.settings.count import CountSettings
from sthelar_build.settings.ingest import IngestSettings
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.stages import count, ingest

VERSIONS = ["1.9.0", "3.0.0"]  # the others: test_bundle_kinds.py
TABLES = ("nuclei.parquet", "cells.parquet", "transcripts.parquet", "bundle.json")
N_GENES = 3


def ingested(folder, version):
    bundle = copy_of_bundle(folder / "outs", version)
    ingest.run(bundle.folder, *(folder / name for name in TABLES), settings=IngestSettings())
    return bundle


def run(folder, **settings):
    nuclei, cells, transcripts, bundle = (folder / name for name in TABLES)
    outputs = folder / "counts_nuclei.h5ad", folder / "counts_cells.h5ad"
    count.run(transcripts, nuclei, cells, bundle, *outputs, settings=CountSettings(**settings))
    return [anndata.read_h5ad(path) for path in outputs]


@pytest.mark.parametrize("version", VERSIONS)
def test_cells_are_counted_exactly_as_the_vendor_counts_them(tmp_path, version):
    bundle = ingested(tmp_path, version)
    _, cells = run(tmp_path)
    matrix = vendor_matrix(bundle)
    assert cells.obs_names.tolist() == matrix.obs_names.tolist()
    np.testing.assert_array_equal(cells.X.toarray(), matrix.X[:, :N_GENES].toarray())
    assert cells.X.sum() > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_nucleus_counts_what_lies_in_it(tmp_path, version):
    ingested(tmp_path, version)
    nuclei, _ = run(tmp_path)
    slide = shown_slide(version)
    good = slide.transcripts[
        (slide.transcripts["qv"] >= 20) & (slide.transcripts["codeword_index"] < N_GENES)
    ]
    expected = np.zeros((len(slide.nuclei), N_GENES))
    for row, geometry in enumerate(slide.nuclei.geometry):
        inside = shapely.contains_xy(geometry, good["x_um"].to_numpy(), good["y_um"].to_numpy())
        np.add.at(expected[row], good["codeword_index"][inside], 1)
    np.testing.assert_array_equal(nuclei.X.toarray(), expected)
    assert expected.sum() > 0


@pytest.fixture(scope="module")
def simulated():
    """Four hundred cells, many with two nuclei."""
    recipe = SimulateSettings(seed=3, width_um=180, height_um=180, two_nuclei_share=0.2)
    return simulate_scene(Recipe(**recipe.model_dump(exclude={"revision"}))).slide


@pytest.mark.parametrize("version", ["1.0.2", "1.9.0", "4.0.0"])
def test_a_simulated_slide_is_counted_exactly_as_the_vendor_counts_it(tmp_path, simulated, version):
    write_bundle(tmp_path / "outs", simulated, xoa_version=version, seed=1)
    bundle = open_bundle(tmp_path / "outs")
    ingest.run(bundle.folder, *(tmp_path / name for name in TABLES), settings=IngestSettings())
    nuclei, cells = run(tmp_path)
    matrix = vendor_matrix(bundle)
    is_gene = (read_features(bundle)["category"] == "gene").to_numpy()
    assert cells.obs_names.tolist() == matrix.obs_names.tolist()
    assert (matrix.X[:, is_gene] != cells.X).nnz == 0
    t = as_version(simulated, version).transcripts
    in_nuclei = t["overlaps_nucleus"] & (t["cell_row"] >= 0) & (t["qv"] >= 20)
    is_gene_codeword = is_gene[t["codeword_index"]]
    assert nuclei.X.sum() == (in_nuclei & is_gene_codeword).sum()


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counted")
    ingested(folder, "3.0.0")
    return folder, *run(folder)


def test_the_two_nuclei_of_a_cell_share_its_nuclear_transcripts(counted):
    _, nuclei, _ = counted
    slide = shown_slide("3.0.0")
    t = slide.transcripts
    of_cell = (t["cell_row"] == TWO_NUCLEI) & t["overlaps_nucleus"] & (t["qv"] >= 20)
    n_genes = (of_cell & (t["codeword_index"] < N_GENES)).sum()
    assert nuclei.X[:2].sum() == n_genes
    assert nuclei.obs["cell_id"].astype(str).tolist()[:2] == ["pppppppp-12"] * 2


def test_controls_stand_apart_in_obs(counted):
    _, _, cells = counted
    t = shown_slide("3.0.0").transcripts
    good = t[(t["qv"] >= 20) & (t["cell_row"] >= 0)]
    for codeword, category in enumerate(
        (
            "negative_control_probe",
            "negative_control_codeword",
            "unassigned_codeword",
            "deprecated_codeword",
            "genomic_control_probe",
        ),
        start=N_GENES,
    ):
        expected = np.bincount(good["cell_row"][good["codeword_index"] == codeword], minlength=5)
        assert cells.obs[f"{category}_counts"].tolist() == expected.tolist()
    assert cells.var_names.tolist() == ["EPCAM", "CD3E", "MYGENE"]


def test_the_tables_say_what_and_where_the_objects_are(counted):
    _, nuclei, cells = counted
    assert nuclei.obs_names.tolist() == ["1", "2", "3", "4", "5"]
    assert nuclei.obs["nucleus_id"].tolist() == [1, 2, 3, 4, 5]
    assert cells.obs["cell_id"].astype(str).tolist() == cells.obs_names.tolist()
    for table in (nuclei, cells):
        assert (table.X.dtype, table.X.format) == (np.float32, "csr")
        assert table.var["gene_id"].tolist()[0] == "ENSG00000119888"
        np.testing.assert_array_equal(
            table.obs["transcript_counts"], np.asarray(table.X.sum(1)).ravel()
        )
        np.testing.assert_array_equal(table.obsm["spatial"], table.obs[["x_um", "y_um"]])
        assert "sthelar" in table.uns


def test_the_quality_threshold_is_inclusive_and_can_be_set(tmp_path, counted):
    folder, _, at_twenty = counted
    t = shown_slide("3.0.0").transcripts
    genes = (t["cell_row"] >= 0) & (t["codeword_index"] < N_GENES)
    assert at_twenty.X.sum() == (genes & (t["qv"] >= 20)).sum()
    _, at_zero = run(folder, min_qv=0)
    _, at_thirty = run(folder, min_qv=30)
    assert at_zero.X.sum() == genes.sum()
    assert at_thirty.X.sum() == (genes & (t["qv"] >= 30)).sum()


def test_the_batches_do_not_matter(tmp_path, counted, monkeypatch):
    folder, _, cells = counted
    monkeypatch.setattr(transcripts, "ROWS_AT_A_TIME", 17)
    _, in_small_batches = run(folder)
    np.testing.assert_array_equal(in_small_batches.X.toarray(), cells.X.toarray())
    assert in_small_batches.obs.equals(cells.obs)


def test_what_is_left_out_is_said(counted, caplog):
    with caplog.at_level("INFO"):
        run(counted[0])
    assert "quality: kept 420 of 600: the others have qv < 20" in caplog.text
    assert (
        "genes: kept 160 of 420: the others are controls, or of no gene of the panel" in caplog.text
    )
    assert "cells: kept 68 of 160: the others lie in no cell" in caplog.text


def test_tables_of_two_bundles_are_refused(tmp_path):
    ingested(tmp_path / "old", "1.0.2")
    ingested(tmp_path / "new", "3.0.0")
    (tmp_path / "old/nuclei.parquet").rename(tmp_path / "new/nuclei.parquet")
    with pytest.raises(InputError, match="ingest the bundle again"):
        run(tmp_path / "new")
    assert not list((tmp_path / "new").glob("*.h5ad"))
