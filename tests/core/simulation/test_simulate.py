import numpy as np
import pytest
import shapely
from shapely import Polygon

from sthelar_build.core.cell_ids import cell_id_strings
from sthelar_build.core.simulation.crop import HARD_ID
from sthelar_build.core.simulation.expression import LOW_COUNT_MAX
from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.core.simulation.simulate import block_scenes, simulate, simulate_scene
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM

SMALL = {
    "width_um": 180.0,
    "height_um": 160.0,
    "seed": 5,
    "low_count_share": 0.1,
    "no_nucleus_share": 0.08,
    "two_nuclei_share": 0.3,
    "holes": 3,
    "bow_ties": 2,
}


@pytest.fixture(scope="module")
def scene():
    return simulate_scene(Recipe(**SMALL))


@pytest.fixture(scope="module")
def slide(scene):
    return scene.slide


def rings(slide):
    return np.array([Polygon(ring) for ring in slide.nuclei["ring"]], dtype=object)


def test_the_same_recipe_gives_the_same_slide_and_another_seed_another():
    recipe = {"width_um": 60.0, "height_um": 60.0, "panel_size": 60}
    first, again, other = (simulate(seed=seed, **recipe) for seed in (1, 1, 2))
    assert first.transcripts.equals(again.transcripts)
    assert first.cells.equals(again.cells)
    assert np.array_equal(first.morphology["DAPI"], again.morphology["DAPI"])
    assert not first.transcripts.equals(other.transcripts)


def test_outlines_are_valid_polygons_inside_the_region(slide):
    height_px, width_px = slide.shape_px
    region = shapely.box(0, 0, width_px * PIXEL_SIZE_UM, height_px * PIXEL_SIZE_UM).buffer(1e-4)
    for shapes in (slide.cells.geometry, slide.nuclei.geometry):
        assert shapes.is_valid.all()
        assert shapes.within(region).all()
    assert (slide.cells.area > 0).all()


def test_cells_hardly_overlap_and_hold_their_nuclei(slide):
    cells, nuclei = slide.cells.geometry.to_numpy(), slide.nuclei.geometry.to_numpy()
    first, second = shapely.STRtree(cells).query(cells, predicate="overlaps")
    shared = shapely.area(shapely.intersection(cells[first], cells[second])).sum() / 2
    assert shared < 0.01 * shapely.area(cells).sum()
    outside = shapely.area(shapely.difference(nuclei, cells[slide.nuclei["cell_row"]]))
    assert outside.sum() < 0.01 * shapely.area(nuclei).sum()


def test_there_are_cells_without_a_nucleus_and_with_two(slide):
    count = np.bincount(slide.nuclei["cell_row"], minlength=len(slide.cells))
    assert {0, 1, 2} == set(count.tolist())
    assert np.all(np.diff(slide.nuclei["cell_row"]) >= 0)


def test_some_nuclei_are_cut_by_the_border(slide):
    width_um = slide.shape_px[1] * PIXEL_SIZE_UM
    left, _, right, _ = slide.nuclei.bounds.to_numpy().T
    assert (left < 1e-6).any()
    assert (right > width_um - 1e-3).any()


def test_as_many_holes_and_bow_ties_as_asked(slide):
    holed = np.array([len(shape.interiors) > 0 for shape in slide.nuclei.geometry])
    crossed = ~shapely.is_valid(rings(slide)) & ~holed
    assert holed.sum() == 3
    assert crossed.sum() == 2


def test_all_other_rings_are_the_true_polygons(slide):
    shown = rings(slide)
    plain = shapely.is_valid(shown)
    assert shapely.equals_exact(shown[plain], slide.nuclei.geometry.to_numpy()[plain]).all()


def test_transcripts_lie_where_they_say(slide):
    transcripts = slide.transcripts
    points = shapely.points(transcripts[["x_um", "y_um"]].to_numpy(dtype=np.float64))
    held = transcripts["cell_row"].to_numpy() >= 0
    cells = slide.cells.geometry.to_numpy()[transcripts["cell_row"][held]]
    assert shapely.contains(cells, points[held]).mean() > 0.995
    tree = shapely.STRtree(slide.nuclei.geometry.to_numpy())
    nuclear = np.zeros(len(points), dtype=bool)
    nuclear[tree.query(points, predicate="within")[0]] = True
    assert np.array_equal(nuclear, transcripts["overlaps_nucleus"].to_numpy())


def test_the_shares_of_transcripts_are_about_those_of_the_recipe(slide):
    transcripts = slide.transcripts
    assert (transcripts["qv"] < 20).mean() == pytest.approx(0.12, abs=0.01)
    assert (transcripts["cell_row"] < 0).mean() == pytest.approx(0.10, abs=0.04)
    nuclear = transcripts.loc[transcripts["cell_row"] >= 0, "overlaps_nucleus"].mean()
    assert 0.35 < nuclear < 0.65
    assert transcripts["transcript_id"].is_unique


def test_low_count_cells_have_few_counted_transcripts(slide):
    is_gene = slide.features["category"].str.endswith("_gene").to_numpy()
    transcripts = slide.transcripts
    counted = (transcripts["qv"] >= 20) & is_gene[transcripts["codeword_index"]]
    counts = np.bincount(
        transcripts.loc[counted & (transcripts["cell_row"] >= 0), "cell_row"],
        minlength=len(slide.cells),
    )
    low = slide.cells["low_count"].to_numpy()
    assert low.any()
    assert counts[low].max() <= LOW_COUNT_MAX
    assert np.median(counts[~low]) > 50


def test_genes_come_first_and_every_kind_of_control_follows(slide):
    is_gene = slide.features["category"].str.endswith("_gene").to_numpy()
    assert is_gene[: is_gene.sum()].all()
    assert slide.features["category"].nunique() == 7
    assert slide.features["name"].is_unique


def test_cell_ids_are_unique_and_the_hard_one_is_there(slide):
    cells = slide.cells
    assert cells["cell_id"].is_unique
    assert cells["cell_id"].tolist() == cell_id_strings(cells["prefix"], cells["suffix"]).tolist()
    assert HARD_ID in set(zip(cells["prefix"], cells["suffix"], strict=True))
    assert "pppppppp-12" in set(cells["cell_id"])


def test_nuclei_are_bright_in_the_morphology_image(slide):
    image = slide.morphology["DAPI"]
    centres = slide.nuclei.geometry.representative_point()
    rows, columns = (centres.y / PIXEL_SIZE_UM).astype(int), (centres.x / PIXEL_SIZE_UM).astype(int)
    assert image.dtype == np.uint16
    assert np.median(image[rows, columns]) > 4 * np.quantile(image, 0.2)


def test_no_cell_is_placed_on_glass(scene):
    points = scene.population.cells[["x_um", "y_um"]].to_numpy()
    assert scene.tissue.grid.at(scene.tissue.on_tissue(), points).all()


def test_the_side_off_the_tissue_is_empty(slide):
    bottom_um = slide.shape_px[0] * PIXEL_SIZE_UM
    assert slide.nuclei.bounds["maxy"].max() < bottom_um - 0.5
    assert not slide.transcripts["overlaps_nucleus"][slide.transcripts["y_um"] > 158].any()


def test_four_channels_on_request():
    slide = simulate(width_um=60, height_um=60, multichannel=True)
    assert next(iter(slide.morphology)) == "DAPI"
    assert len(slide.morphology) == 4
    assert len({image.shape for image in slide.morphology.values()}) == 1


@pytest.mark.parametrize(("tissue", "classes"), [("breast_cancer", 7), ("skin", 8)])
def test_a_tissue_has_at_least_14_fine_types_of_7_classes(tissue, classes):
    cells = simulate(tissue=tissue, width_um=460, height_um=460, transcripts_per_cell=1).cells
    assert cells["fine_label"].nunique() >= 14
    assert cells["class_name"].nunique() == classes
    assert (cells["class_name"].value_counts() >= 5).all()


def test_blocks_of_a_mosaic_differ_and_have_one_panel():
    recipe = Recipe(width_um=60.0, height_um=60.0, panel_size=60, mosaic_rows=2, mosaic_blocks=3)
    one, two = block_scenes(recipe)
    assert one.slide.features.equals(two.slide.features)
    assert np.array_equal(one.programmes.profile, two.programmes.profile)
    assert not one.slide.transcripts.equals(two.slide.transcripts)
