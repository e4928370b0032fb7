"""What is shown of the labels of three cells by hand."""

import shutil

from slides import three_cells
from sthelar_build.io.slide_report.labels import shown_labels
from sthelar_build.io.tables import read_table
from sthelar_build.schema.tables import LABELS

NAMES = ("evidence", "overrides", "clusters_cells", "counts_cells", "tangram_cells")


def test_what_the_page_draws_itself_is_not_among_the_pictures(tmp_path):
    files = three_cells.build(tmp_path)
    picture = next(files["refine_pictures"].glob("*.png"))
    for name in ("class_map", "umap_classes", "dotplot"):
        if picture.stem != name:
            shutil.copy(picture, picture.with_stem(name))
    found = shown_labels(
        read_table(files["labels"], LABELS),
        {**{name: files[name] for name in NAMES}, "pictures": files["refine_pictures"]},
        umap_points=100,
        markers_per_class=5,
        picture_px=300,
    )
    captions = [caption for caption, _ in found.pictures]
    assert "Where the classes lie" in captions
    assert not {"UMAP by class", "Markers of each class"} & set(captions)
    assert found.umap.n_cells == 2
    assert found.tangram.agreement == 1
    assert found.annotation.n_cells == 3
