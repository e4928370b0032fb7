"""The stream of patches: what it shows is what lies on disk, slide by slide."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import tifffile

from slides import two_slides
from sthelar_build.errors import InputError
from sthelar_build.io.patch_stream import patch_geometry, patch_table
from sthelar_build.schema.labels import PATCH_CLASS_NAMES


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return two_slides.source_of(tmp_path_factory.mktemp("stream") / "slides")


def test_patches_come_by_slide_and_id_and_their_number_is_known_beforehand(source):
    names = [patch.name for patch in source]
    assert names == source.table["name"].tolist()
    assert len(source) == len(names)
    slides = [patch.slide for patch in source]
    assert slides == sorted(slides)
    assert source.slides == ["breast_s0", "skin_s1"]
    assert source.tissues == ["Breast", "Skin"]


def test_image_and_instances_are_those_of_the_slide(tmp_path):
    source = two_slides.source_of(tmp_path / "slides")
    image = tifffile.imread(tmp_path / "slides" / "skin_s1" / "he.tif")
    nuclei = two_slides.slide_map("skin_s1")
    rows = source.table[source.table["slide"] == "skin_s1"].itertuples()
    for patch, row in zip(source.of_slide("skin_s1"), rows, strict=True):
        window = slice(row.y_px, row.y_px + 32), slice(row.x_px, row.x_px + 32)
        np.testing.assert_array_equal(patch.image, image[window])
        np.testing.assert_array_equal(patch.instances, nuclei[window])


def test_types_and_counts_agree_with_the_instances_of_every_patch(source):
    for patch in source:
        classes = [two_slides.class_of(nucleus) for nucleus in patch.nucleus_ids]
        assert patch.class_of.tolist() == classes
        assert patch.counts.tolist() == np.bincount(classes, minlength=10)[1:].tolist()
        expected = np.array([0, *classes])[patch.dense]
        np.testing.assert_array_equal(patch.types, expected)


def test_a_split_streams_its_patches_and_no_others(source):
    names = [patch.name for patch in source.of_split("valid")]
    assert names == source.table.loc[source.table["split"] == "valid", "name"].tolist()
    assert 0 < len(names) < len(source)


def test_foreground_pixels_are_known_without_reading_the_masks(source):
    drawn = sum(np.count_nonzero(patch.instances) for patch in source.of_slide("breast_s0"))
    assert source.foreground_px("breast_s0") == drawn


def test_a_second_nucleus_has_the_number_of_its_cell(source):
    numbers = source.cell_numbers("skin_s1")
    assert numbers[[0, 1, 100, 101]].tolist() == [0, 100, 1, 100]


def test_missing_metrics_are_none(source):
    values = {patch.metrics["Jaccard"] for patch in source}
    assert values == {0.3, 0.8}
    table = source.table.copy()
    assert not table["Jaccard"].isna().any()


def test_the_whole_grid_is_counted_class_by_class(tmp_path):
    files = two_slides.write_slide(tmp_path / "s", "skin_s1")
    table = patch_table(files.patches, files.masks, files.metrics)
    assert patch_geometry(files.patches) == (32, 0.25)
    assert len(table) == 14 * 4
    assert (table[list(PATCH_CLASS_NAMES)].sum(axis=1) == table["n_nuclei"]).all()
    assert table.loc[~table["complete"], "n_nuclei"].sum() == 0


def test_metrics_of_another_grid_are_refused(tmp_path):
    files = two_slides.write_slide(tmp_path / "s", "skin_s1")
    metrics = pq.read_table(files.metrics)
    pq.write_table(metrics.slice(0, 5), files.metrics)
    with pytest.raises(InputError, match="one row per patch"):
        patch_table(files.patches, files.masks, files.metrics)


def test_a_mask_that_its_table_does_not_know_is_refused(tmp_path):
    source = two_slides.source_of(tmp_path / "slides")
    path = tmp_path / "slides" / "skin_s1" / "masks_40x" / "instances.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(3), path)
    with pytest.raises(InputError, match="make the masks again"):
        [patch.dense for patch in source.of_slide("skin_s1")]
    assert isinstance(source.table, pd.DataFrame)
