import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from slides.five_cells import TWO_NUCLEI, copy_of_bundle, remove_table, shown_slide
from sthelar_build.core.polygons import repair
from sthelar_build.errors import InputError
from sthelar_build.io.xenium.boundaries import n_nuclei, read_cell_outlines, read_nucleus_outlines
from sthelar_build.io.xenium.bundle import CELLS_ZARR, NUCLEUS_BOUNDARIES

VERSIONS = ["1.0.2", "1.9.0", "2.0.0", "4.0.0"]


def copy(folder, version):
    return shown_slide(version), copy_of_bundle(folder, version)


def drop_column(path, name):
    pq.write_table(pq.read_table(path).drop_columns([name]), path)


def drop_entries(path, words):
    """Rewrite a zip without the entries that contain one of the words."""
    with zipfile.ZipFile(path) as archive:
        kept = {
            name: archive.read(name)
            for name in archive.namelist()
            if not any(word in name for word in words)
        }
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)


@pytest.fixture
def early(tmp_path):
    """A first 2.0.0 build: the rings of one cell run together, without a number."""
    slide, bundle = copy(tmp_path / "outs", "2.0.0")
    drop_column(bundle.path(NUCLEUS_BOUNDARIES), "label_id")
    return slide, bundle


def cell_ids_of(slide):
    return slide.cells["cell_id"].to_numpy()


def same_areas(polygons, expected, tolerance=1e-3):
    mended, _ = repair(polygons)
    apart = shapely.area(shapely.symmetric_difference(mended, expected.to_numpy()))
    return apart.max() < tolerance


@pytest.mark.parametrize("version", VERSIONS)
def test_every_nucleus_is_read_with_its_owner_holes_and_parts(tmp_path, version):
    slide, bundle = copy(tmp_path / "outs", version)
    found = read_nucleus_outlines(bundle, cell_ids_of(slide))
    assert found.cell_ids.tolist() == cell_ids_of(slide)[slide.nuclei["cell_row"]].tolist()
    assert same_areas(found.polygons, slide.nuclei.geometry)
    assert n_nuclei(bundle) == len(slide.nuclei)


def test_labels_of_the_raster_are_rows_of_cells_or_numbers_of_nuclei(tmp_path, early):
    slide, bundle = copy(tmp_path / "old", "1.9.0")
    of_cells = read_nucleus_outlines(bundle, cell_ids_of(slide)).raster_labels
    assert of_cells.tolist() == [1, 2, 4, 5]  # the third cell has no nucleus
    bundle.path(CELLS_ZARR).unlink()
    assert read_nucleus_outlines(bundle, cell_ids_of(slide)).raster_labels.tolist() == [1, 2, 4, 5]
    slide, bundle = copy(tmp_path / "new", "3.0.0")
    assert read_nucleus_outlines(bundle, cell_ids_of(slide)).raster_labels.tolist() == [
        1,
        2,
        3,
        4,
        5,
    ]
    slide, bundle = early
    assert read_nucleus_outlines(bundle, cell_ids_of(slide)).raster_labels.tolist() == [
        1,
        2,
        3,
        4,
        5,
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_cell_is_read(tmp_path, version):
    slide, bundle = copy(tmp_path / "outs", version)
    found = read_cell_outlines(bundle)
    assert found.cell_ids.tolist() == cell_ids_of(slide).tolist()
    assert same_areas(found.polygons, slide.cells.geometry)


def test_without_cell_boundaries_there_are_no_outlines(tmp_path):
    _, bundle = copy(tmp_path / "outs", "3.0.0")
    remove_table(bundle.folder, "cell_boundaries.parquet")
    assert read_cell_outlines(bundle) is None


def test_rings_that_an_early_build_runs_together_are_told_apart_by_the_cell_store(early):
    slide, bundle = early
    found = read_nucleus_outlines(bundle, cell_ids_of(slide))
    assert found.cell_ids.tolist() == cell_ids_of(slide)[slide.nuclei["cell_row"]].tolist()
    assert found.cell_ids.tolist().count(cell_ids_of(slide)[TWO_NUCLEI]) == 2
    assert same_areas(found.polygons, slide.nuclei.geometry)
    assert n_nuclei(bundle) == len(slide.nuclei)


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda path: path.unlink(), "found nothing"),
        (lambda path: path.write_bytes(b"x"), "broken"),
        (lambda path: drop_entries(path, ["polygon_sets"]), "cell_index"),
    ],
    ids=["missing", "broken", "without polygons"],
)
def test_an_early_build_whose_cell_store_cannot_help_is_refused(early, damage, word):
    slide, bundle = early
    damage(bundle.path(CELLS_ZARR))
    with pytest.raises(InputError, match=word):
        read_nucleus_outlines(bundle, cell_ids_of(slide))


def test_a_cell_store_of_another_run_is_refused(early):
    slide, bundle = early
    with pytest.raises(InputError, match="same run"):
        read_nucleus_outlines(bundle, cell_ids_of(slide)[:3])


def test_vertices_of_one_outline_that_lie_apart_are_refused(tmp_path):
    slide, bundle = copy(tmp_path / "outs", "3.0.0")
    path = bundle.path(NUCLEUS_BOUNDARIES)
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table.slice(2), table.slice(0, 2)]), path)
    with pytest.raises(InputError, match="one after the other"):
        read_nucleus_outlines(bundle, cell_ids_of(slide))
