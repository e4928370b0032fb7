"""Samples are patches that are in a split, of as many slides as asked for, drawn with their outlines."""

import numpy as np
import pandas as pd
import pytest

from slides import two_slides
from sthelar_build.io.patch_stream import patch_table
from sthelar_build.io.pictures.dataset_samples import SampledSlide, dataset_samples
from sthelar_build.schema.labels import PATCH_CLASS_NAMES, class_named


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    files = [two_slides.write_slide(folder / name, name) for name in two_slides.SLIDES]
    return [SampledSlide(one.slide, one.he, one.patches, one.masks) for one in files], [
        patch_table(one.patches, one.masks, one.metrics) for one in files
    ]


def tables_of(slides, tables, split):
    """Return the tables of the dataset; ``split`` says of every patch of a slide which it is in."""
    rows = pd.concat(
        [
            t.assign(slide=s.name, split=split(s.name, t))
            for s, t in zip(slides, tables, strict=True)
        ],
        ignore_index=True,
    )
    names = rows["slide"] + "_" + rows["patch_id"].astype(str) + ".png"
    side = two_slides.SIDE_PX
    places = {
        "xmin": rows.x_px,
        "xmax": rows.x_px + side,
        "ymin": rows.y_px,
        "ymax": rows.y_px + side,
    }
    return {
        "splits.parquet": rows[["slide", "patch_id", "split"]],
        "patch_metrics.csv": pd.DataFrame({"slide_id": rows.slide, "patch_id": names, **places}),
        "cell_count.csv": rows[list(PATCH_CLASS_NAMES)].assign(Image=names),
        "types.csv": pd.DataFrame({"img": names, "type": "Skin"}),
    }  # fmt: skip


def test_every_slide_has_its_row_and_no_patch_is_outside_the_splits(slides):
    shown = dataset_samples(
        slides[0], tables_of(*slides, lambda _, t: two_slides.split_by_column(t)), 3, 12
    )
    assert [row.title for row in shown] == ["skin_s1, Skin", "breast_s0, Skin"]
    for row, table in zip(shown, slides[1], strict=True):
        allowed = table.patch_id[[s is not None for s in two_slides.split_by_column(table)]]
        chosen = [int(caption.split(":")[0]) for caption, _ in row.samples]
        assert 1 <= len(chosen) <= 3
        assert set(chosen) <= set(allowed)


def test_nuclei_are_outlined_in_the_colour_of_the_class_that_is_told(slides):
    tables = tables_of(*slides, lambda _, t: two_slides.split_by_column(t))
    for row in dataset_samples(slides[0], tables, 3, 12):
        for caption, picture in row.samples:
            colour = class_named(caption.split()[-1]).colour
            assert (np.asarray(picture) == colour).all(axis=2).any()


def test_slides_in_no_split_are_left_out_and_no_more_are_shown_than_asked_for(slides):
    def one_slide(name, table):
        return ["train" if name == "skin_s1" else None] * len(table)

    (row,) = dataset_samples(slides[0], tables_of(*slides, one_slide), 2, 12)
    assert row.title.startswith("skin_s1")
    everywhere = tables_of(*slides, lambda _, table: ["train"] * len(table))
    assert len(dataset_samples(slides[0], everywhere, 2, 1)) == 1
