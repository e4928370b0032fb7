"""What is shown of the labels of three cells by hand."""

import shutil

from slides import three_cells
from sthelar_build.io.slide_report.labels import shown_labels
from sthelar_build.settings.report import ReportSettings


def test_what_the_page_draws_itself_is_not_among_the_pictures(tmp_path):
    files = three_cells.build(tmp_path)
    picture = next(files["refine_pictures"].glob("*.png"))
    for name in ("class_map", "umap_classes", "dotplot"):
        if picture.stem != name:
            shutil.copy(picture, picture.with_stem(name))
    found = shown_labels(files, ReportSettings(picture_px=300))
    captions = [caption for caption, _ in found.pictures]
    assert "Where the classes lie" in captions
    assert not {"UMAP by class", "Markers of each class"} & set(captions)
    assert found.umap.n_cells == 2
    assert found.tangram.agreement == 1
    assert found.annotation.n_cells == 3
