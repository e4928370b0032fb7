import numpy as np
import pandas as pd

from sthelar_build.core.nucleus_features import cluster_column, type_columns, visibility
from sthelar_build.schema.pannuke import NUCLEI_TYPES


def test_it_tells_which_patches_show_a_nucleus_and_with_how_many_pixels():
    appearances = pd.DataFrame(
        {"patch_id": [11, 2, 2], "nucleus_id": [5, 5, 9], "visible_px": [10, 30, 7]}
    )
    found = visibility(np.array([9, 4, 5]), appearances)
    assert found.n_patches.tolist() == [1, 0, 2]
    assert found.visible_px.tolist() == [7, 0, 40]
    assert found.patch_ids.tolist() == ["2", "", "2,11"]


def test_pannuke_types_have_the_published_columns_and_unseen_nuclei_are_null():
    type_px = np.array([[1, 3, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
    found = type_columns(type_px, NUCLEI_TYPES)
    assert found.PanNuke_label[0] == "Neoplastic"
    assert found.PanNuke_proba[0] == 0.75
    assert found.iloc[1].isna().all()
    assert list(found.PanNuke_label.cat.categories) == list(NUCLEI_TYPES)


def test_types_of_another_network_do_not_call_themselves_pannuke():
    found = type_columns(np.array([[0, 1, 3]]), {"Long": 2, "Background": 0, "Round": 1})
    assert found.to_dict("list") == {"network_label": ["Long"], "network_proba": [0.75]}


def test_clusters_are_words_and_null_for_nuclei_that_were_not_seen():
    found = cluster_column(np.array([1, 0]), np.array([True, False, True]))
    assert found.tolist() == ["1", np.nan, "0"]
    assert not len(cluster_column(np.empty(0, np.int64), np.array([False])).categories)
