"""Tables over all patches, on three patches of one slide."""

import numpy as np
import pandas as pd

from sthelar_build.core.dataset_tables import csv_tables, splits_table, unsplittable
from sthelar_build.schema.labels import PATCH_CLASSES

TABLE = pd.DataFrame(
    {
        "slide": "skin_s1",
        "patch_id": [0, 1, 2, 3],
        "tissue": "Skin",
        "x_px": [0, 192, 384, 576],
        "y_px": 0,
        "complete": [True, True, True, False],
        "n_nuclei": [2, 0, 1, 0],
        "Dice": [0.8, np.nan, 0.5, np.nan],
        "Jaccard": [0.7, np.nan, np.nan, np.nan],
        "bPQ": [0.6, np.nan, 0.1, np.nan],
        **{c.name: 0 for c in PATCH_CLASSES},
        "T_NK": [2, 0, 1, 0],
    }
)


def test_a_patch_that_can_be_in_no_split_says_why():
    assert unsplittable(TABLE, gated=False).tolist() == [None, "no_nucleus", None, "outside"]
    assert unsplittable(TABLE, gated=True).tolist() == ["registration"] * 3 + ["outside"]


def test_a_patch_that_could_be_split_and_is_not_stands_in_the_guard():
    table = TABLE.assign(reason=unsplittable(TABLE, gated=False))
    kept = table[table.reason.isna()].reset_index(drop=True)
    found = splits_table(table, kept, np.array([2, -1], dtype=np.int8))
    assert found.columns.tolist() == ["slide", "patch_id", "split", "reason"]
    assert found["split"].tolist() == ["test", None, None, None]
    assert found["reason"].tolist() == [None, "no_nucleus", "guard", "outside"]


def test_the_csv_tables_name_patches_as_the_images_are_named():
    tables = csv_tables(TABLE.iloc[[0, 2]], 256)
    metrics = tables["patch_metrics.csv"]
    assert metrics["patch_id"].tolist() == ["skin_s1_0.png", "skin_s1_2.png"]
    assert metrics[["xmin", "ymin", "xmax", "ymax"]].values.tolist() == [
        [0, 0, 256, 256],
        [384, 0, 640, 256],
    ]
    assert metrics["Jaccard"].isna().tolist() == [False, True]
    assert tables["cell_count.csv"]["T_NK"].tolist() == [2, 1]
    assert tables["types.csv"].to_dict("list") == {
        "img": ["skin_s1_0.png", "skin_s1_2.png"],
        "type": ["Skin", "Skin"],
    }
