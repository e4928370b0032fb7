"""The pictures of an annotation show the classes that are there, in their colours, where they lie."""

from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from PIL import Image

from sthelar_build.core.clusters import ClusteredCells, Clustering
from sthelar_build.io.pictures import annotation
from sthelar_build.schema.labels import class_named

N = 60
CLASSES = np.repeat(["T_NK", "Epithelial", "Other"], N // 3)
GENES = ["CD3D", "CD3E", "EPCAM", "KRT8", "BG"]
NAMES = ("class_map.png", "dotplot.png", "umap_classes.png", "umap_clusters.png")


@pytest.fixture(scope="module")
def slide():
    """T cells to the left, epithelium to the right, the rest below."""
    ids = [f"c{number}" for number in range(N)]
    rng = np.random.default_rng(0)
    corner = {"T_NK": (0, 0), "Epithelial": (400, 0), "Other": (0, 400)}
    places = np.array([corner[name] for name in CLASSES]) + rng.uniform(0, 20, (N, 2))
    clusters = pd.Categorical(np.repeat(["0", "1", "10"], N // 3))
    obs = pd.DataFrame({"cell_id": ids, "leiden_1": clusters}, index=ids)
    expression = np.zeros((N, len(GENES)), dtype=np.float32)
    expression[: N // 3, :2] = 3
    expression[N // 3 : 2 * N // 3, 2:4] = 3
    return {
        "labels": pd.DataFrame({"cell_id": ids, "final_label": CLASSES}),
        "cells": pd.DataFrame(places, columns=["x_um", "y_um"]),
        "clustered": anndata.AnnData(
            obs=obs,
            obsm={"X_umap": places.astype(np.float32)},
        ),
        "clustering": "leiden_1",
        "counted": ClusteredCells(Clustering.of(obs, "leiden_1"), sp.csr_matrix(expression), GENES),
    }


@pytest.fixture(scope="module")
def figures(slide, tmp_path_factory):
    """The figures, as they are handed over to be saved."""
    kept = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotation, "_save", lambda path, figure: kept.update({path.name: figure}))
        annotation.draw_pictures(tmp_path_factory.mktemp("figures"), **slide)
    return kept


@pytest.fixture(scope="module")
def folder(slide, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    annotation.draw_pictures(folder, **slide)
    return folder


def colour(name):
    return np.array(class_named(name).colour) / 255


def legend(figure):
    return {text.get_text() for text in figure.axes[0].get_legend().get_texts()}


def test_four_pictures_are_drawn_large_enough_to_read(folder):
    assert sorted(path.name for path in folder.iterdir()) == list(NAMES)
    for name in NAMES:
        with Image.open(folder / name) as image:
            assert image.format == "PNG"
            assert min(image.size) > 300


def test_the_same_slide_gives_the_same_bytes(slide, folder, tmp_path):
    annotation.draw_pictures(tmp_path, **slide)
    for name in NAMES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", ["class_map.png", "umap_classes.png"])
def test_legends_count_the_classes_that_are_there_and_no_other(figures, name):
    assert legend(figures[name]) == {"T_NK (20)", "Epithelial (20)", "Other (20)"}


@pytest.mark.parametrize("name", ["class_map.png", "umap_classes.png"])
def test_every_cell_has_the_colour_of_its_class_at_its_place(slide, figures, name):
    points = figures[name].axes[0].collections[0]
    drawn = points.get_offsets()
    assert len(drawn) == N
    for place, class_name in zip(slide["cells"].to_numpy(), CLASSES, strict=True):
        nearest = np.argmin(np.hypot(*(drawn - place).T))
        np.testing.assert_allclose(drawn[nearest], place, rtol=1e-5)
        np.testing.assert_allclose(points.get_facecolor()[nearest][:3], colour(class_name))


def test_y_runs_down_on_the_slide_as_in_its_images(figures):
    bottom, top = figures["class_map.png"].axes[0].get_ylim()
    assert bottom > top


def test_pixels_of_the_saved_map_have_the_colours_of_the_classes(folder):
    with Image.open(folder / "class_map.png") as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    for name in ("T_NK", "Epithelial", "Other"):
        assert (np.abs(pixels - class_named(name).colour).max(axis=1) < 3).sum() > 50


def test_clusters_are_named_in_their_middle_in_the_order_of_numbers(slide, figures):
    texts = figures["umap_clusters.png"].axes[0].texts
    assert [text.get_text() for text in texts] == ["0", "1", "10"]
    umap = slide["clustered"].obsm["X_umap"]
    np.testing.assert_allclose(texts[1].get_position(), np.median(umap[20:40], axis=0))


def test_dots_are_large_and_dark_where_a_class_has_its_markers(figures):
    axes = figures["dotplot.png"].axes[0]
    genes = [tick.get_text() for tick in axes.get_xticklabels()]
    classes = [tick.get_text() for tick in axes.get_yticklabels()]
    assert set(genes) == {"CD3D", "CD3E", "EPCAM", "KRT8"}
    assert classes == ["T_NK", "Epithelial", "Other"]
    dots = axes.collections[0]
    shape = (len(classes), len(genes))
    size, shade = dots.get_sizes().reshape(shape), np.asarray(dots.get_array()).reshape(shape)
    own = np.isin(genes, ["CD3D", "CD3E"])
    assert (shade[0] == own).all()
    assert (size[0, own] > 0).all()
    assert not size[0, ~own].any()
    assert not size[2].any()


def test_a_slide_without_clustered_cells_is_drawn_all_the_same(slide, tmp_path):
    none = slide["clustered"][:0].copy()
    counted = replace(slide["counted"], counts=slide["counted"].counts[:0])
    empty = {"clustered": none, "counted": counted}
    annotation.draw_pictures(tmp_path, **{**slide, **empty})
    assert len(list(tmp_path.iterdir())) == 4
