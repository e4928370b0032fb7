"""Embed: features of the tokens under a nucleus, or of the square around it; whoever is not seen is null, with a reason."""

import hashlib
import json
import logging

import anndata
import numpy as np
import pytest
from scipy.ndimage import center_of_mass

from slides.image_models import SIDE_PX as MODEL_PX
from slides.image_models import TYPES, write_image_model, write_tiny_checkpoint
from slides.two_slides import SIDE_PX, UM_PER_PX, WIDTH_PX, slide_map, write_slide
from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.adapters.image_features import ImageEncoder, one_thread_a_call
from sthelar_build.core.token_features import merged, patch_sums
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.images.he import open_he
from sthelar_build.io.masks import open_masks
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.schema.pannuke import NUCLEI_TYPES
from sthelar_build.schema.tables import LABELS, NUCLEI, PATCHES
from sthelar_build.settings.embed import EmbedSettings
from sthelar_build.stages import embed

SLIDE = "skin_s1"
BESIDE = 7
"""A nucleus that lies beside the image, and in no mask."""
MODELS = {
    "cellvit": {"kind": "cellvit", "checkpoint": "tiny.pt"},
    "published": {"kind": "cellvit", "checkpoint": "tiny.pt", "rule": "published"},
    "phikonv2": {"kind": "transformers", "folder": "dinov2"},
    "vit_google": {"kind": "transformers", "folder": "vit", "view": "patch"},
}
SETTINGS = EmbedSettings(models=MODELS, max_clusters=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embed") / SLIDE
    write_slide(folder, SLIDE)
    write_tiny_checkpoint(folder / "tiny.pt")
    for kind in ("dinov2", "vit"):
        write_image_model(folder / kind, kind)
    drawn = slide_map(SLIDE)
    nuclei = read_table(folder / "nuclei.parquet", NUCLEI)
    ids = nuclei.nucleus_id.to_numpy()
    with np.errstate(invalid="ignore"):
        centres = np.array(center_of_mass(drawn > 0, drawn, ids)) + 0.5
    centres[~np.isin(ids, drawn)] = 20, 20
    centres[ids == BESIDE] = 20, WIDTH_PX + 5
    placed = nuclei.assign(x_um=centres[:, 1] * UM_PER_PX, y_um=centres[:, 0] * UM_PER_PX)
    write_table(folder / "nuclei.parquet", placed, NUCLEI, {})
    return folder


def run(folder, out, name, **changes):
    told = MODELS[name]
    arguments = {
        "he": folder / "he.tif",
        "patches": folder / "patches_40x.parquet",
        "masks": folder / "masks_40x" / "manifest.json",
        "nuclei": folder / "nuclei.parquet",
        "transform": folder / "transform.json",
        "labels": folder / "labels.parquet",
        "source": folder / (told.get("checkpoint") or told["folder"]),
        "model": name,
        "features": out,
        "settings": SETTINGS,
    }
    embed.run(**{**arguments, **changes})
    return anndata.read_h5ad(out)


@pytest.fixture(scope="module")
def made(folder):
    return {model: run(folder, folder / f"{model}.h5ad", model) for model in MODELS}


def patches_of(folder):
    """Yield image and instance map of every complete patch that shows a nucleus."""
    table, masks = read_table(folder / "patches_40x.parquet", PATCHES), open_masks(folder / "masks_40x")  # fmt: skip
    with open_he(folder / "he.tif") as he:
        for row in table[table.complete].itertuples():
            instances = masks.instances(row.patch_id)
            if instances.any():
                yield he.read(row.x_px, row.y_px, SIDE_PX, SIDE_PX), instances


@pytest.mark.parametrize(("model", "rule"), [("cellvit", "mean"), ("published", "published")])
def test_a_nucleus_has_the_tokens_under_it_and_the_type_that_its_pixels_vote_for(
    folder, made, model, rule
):
    predictor = Predictor(open_checkpoint(folder / "tiny.pt"), "cpu", want_tokens=True)
    parts = []
    with one_thread_a_call():
        for image, instances in patches_of(folder):
            maps = predictor(image[None])
            parts.append(patch_sums(instances, maps.tokens[0], rule, maps.types[0], len(TYPES)))
    expected, table = merged(parts), made[model]
    found = table[table.obs.reason.isna()]
    assert found.obs.nucleus_id.tolist() == expected.nucleus_ids.tolist()
    np.testing.assert_allclose(found.X, expected.features, rtol=1e-4, atol=1e-5)
    share = expected.type_px[:, 1:].max(axis=1) / expected.type_px.sum(axis=1)
    voted = expected.type_px[:, 1:].any(axis=1)
    np.testing.assert_allclose(found.obs.network_proba[voted], share[voted], rtol=1e-6)
    assert set(found.obs.network_label) <= set(TYPES)


def test_a_square_around_the_nucleus_is_brought_to_the_models_size(folder, made):
    table, encoder = made["phikonv2"], ImageEncoder(folder / "dinov2", "cpu")
    nuclei = read_table(folder / "nuclei.parquet", NUCLEI)
    for row in (30, 60, 119):
        x, y = nuclei.loc[row, ["x_um", "y_um"]].to_numpy(float) / UM_PER_PX - SIDE_PX / 2
        with open_he(folder / "he.tif") as he:
            image = he.window(x, y, SIDE_PX, SIDE_PX).area(x, y, SIDE_PX, MODEL_PX)
        np.testing.assert_allclose(table.X[row], encoder.features(image[None])[0], atol=1e-5)
    assert table.uns["embedding"]["crop_um"] == SIDE_PX * UM_PER_PX


def test_an_encoder_can_look_at_the_patches_too(folder, made):
    encoder = ImageEncoder(folder / "vit", "cpu")
    parts = []
    with open_he(folder / "he.tif") as he, one_thread_a_call():
        table = read_table(folder / "patches_40x.parquet", PATCHES)
        for row in table[table.complete].itertuples():
            image = he.read_area(row.x_he_px, row.y_he_px, row.side_he_px, MODEL_PX)
            instances = open_masks(folder / "masks_40x").instances(row.patch_id)
            parts.append(patch_sums(instances, encoder.tokens(image[None])[0]))
    expected, found = merged(parts), made["vit_google"]
    found = found[found.obs.reason.isna()]
    np.testing.assert_allclose(found.X, expected.features, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", ["cellvit", "vit_google"])
def test_nuclei_that_no_mask_shows_are_null_with_a_reason(folder, made, model):
    table, masks = made[model], open_masks(folder / "masks_40x").table
    unseen = ~table.obs.nucleus_id.isin(masks.nucleus_id).to_numpy()
    assert unseen.sum() == 9
    assert np.isnan(table.X[unseen]).all()
    assert not np.isnan(table.X[~unseen]).any()
    rows = table.obs[unseen]
    assert (rows.n_patches == 0).all()
    assert (rows.patch_ids == "").all()
    assert rows.drop(columns=["reason"]).filter(regex="kmeans|network").isna().all(axis=None)
    # Another nucleus lies over the first; the others where no complete patch is.
    assert rows.reason.value_counts().to_dict() == {"not_drawn": 1, "outside": 8}


def test_nuclei_beside_the_image_are_null_for_that(made):
    row = made["phikonv2"].obs.loc[str(BESIDE)]
    assert row.reason == "outside"
    assert np.isnan(made["phikonv2"].X[BESIDE - 1]).all()


def test_the_table_says_what_a_nucleus_is_and_where_it_was_seen(folder, made):
    obs = made["cellvit"].obs
    assert obs.index.tolist() == obs.nucleus_id.astype(str).tolist()
    masks = open_masks(folder / "masks_40x").table
    for nucleus_id, rows in masks.groupby("nucleus_id"):
        row = obs.loc[str(nucleus_id)]
        assert row.patch_ids == ",".join(map(str, sorted(rows.patch_id)))
        assert (row.n_patches, row.visible_px) == (len(rows), rows.visible_px.sum())
    labels = read_table(folder / "labels.parquet", LABELS).set_index("cell_id").final_label
    assert obs.final_label.tolist() == labels.loc[obs.cell_id].tolist()
    assert obs.kmeans_clustersHE_cellvit.nunique() in range(1, 5)


def test_it_says_what_was_done(made):
    facts = made["published"].uns["embedding"]
    assert (facts["model"], facts["kind"], facts["rule"]) == ("published", "cellvit", "published")
    assert facts["network"]["nuclei_types"] == TYPES
    assert len(facts["inertias"]) == 4
    origin = json.loads(made["phikonv2"].uns["sthelar"])
    assert set(origin["inputs"]["source"]["files"]) >= {"config.json", "model.safetensors"}


def test_a_network_with_the_types_of_pannuke_gives_the_published_columns(folder, tmp_path):
    source = write_tiny_checkpoint(tmp_path / "pannuke.pt", NUCLEI_TYPES)
    table = run(folder, tmp_path / "f.h5ad", "cellvit", source=source)
    assert set(table.obs.PanNuke_label.dropna()) <= set(NUCLEI_TYPES)
    assert table.obs.PanNuke_proba.between(0, 1).sum() == table.obs.reason.isna().sum()


@pytest.mark.parametrize("model", MODELS)
def test_the_number_of_threads_changes_nothing(folder, tmp_path, made, model):
    run(folder, tmp_path / "two.h5ad", model, threads=2)
    assert digest(tmp_path / "two.h5ad") == digest(folder / f"{model}.h5ad")


def digest(path):
    table = anndata.read_h5ad(path)
    content = [table.X.tobytes(), table.obs.to_csv().encode(), repr(table.uns).encode()]
    return hashlib.sha256(b"".join(content)).hexdigest()


def test_labels_may_be_left_out_and_the_log_counts_who_was_seen(folder, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        table = run(folder, tmp_path / "f.h5ad", "cellvit", labels=None)
    assert "final_label" not in table.obs
    assert "features of 111 of 120 nuclei; the others: 8 outside, 1 not_drawn" in caplog.text


def test_a_slide_without_nuclei_in_its_masks_has_a_table_of_nulls(folder, tmp_path):
    empty = tmp_path / SLIDE
    write_slide(empty, SLIDE)
    nuclei = read_table(empty / "nuclei.parquet", NUCLEI).assign(x_um=-10.0)
    write_table(empty / "nuclei.parquet", nuclei, NUCLEI, {})
    changes = {"nuclei": empty / "nuclei.parquet"}
    table = run(folder, tmp_path / "f.h5ad", "phikonv2", **changes)
    assert np.isnan(table.X).all()
    assert set(table.obs.reason) == {"outside"}


def test_a_model_that_is_not_configured_is_named(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"expected a model of embed.models \(cellvit.*'other'"):
        run(folder, tmp_path / "f.h5ad", "cellvit", model="other")


def test_a_folder_that_is_no_model_leaves_nothing_behind(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"found no config.json; download the whole folder"):
        run(folder, tmp_path / "f.h5ad", "phikonv2", source=tmp_path / "empty")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_labels_of_other_cells_are_refused(folder, tmp_path):
    labels = read_table(folder / "labels.parquet", LABELS).iloc[:3]
    write_table(tmp_path / "labels.parquet", labels, LABELS, {})
    with pytest.raises(InputError, match="expected a row for the cell of every nucleus"):
        run(folder, tmp_path / "f.h5ad", "cellvit", labels=tmp_path / "labels.parquet")
