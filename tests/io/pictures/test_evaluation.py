"""Pictures of a comparison can be drawn of whatever is there, and are the same every time."""

import numpy as np
import pytest
from PIL import Image

from slides import evaluations
from sthelar_build.core.evaluated_tables import parts_of
from sthelar_build.core.model_tables import class_table, confidence_table
from sthelar_build.io.pictures.evaluation import draw_confusion, draw_evaluation

CLASSES = evaluations.CLASSES
NAMES = ("classes", "confidence", "confusion", "metrics")
COLOURS = {one.name: one.colour for one in CLASSES.grouping.classes}


def draw(folder, cells, quality=0.6):
    folder.mkdir()
    split = {"test": evaluations.detection(8, 1, 1)}
    shown = evaluations.patches(quality)
    part = parts_of("s", cells, shown, split, CLASSES.names, CLASSES.n_classes)[0]
    tables = class_table([part], CLASSES.grouping.names), confidence_table([part])
    draw_evaluation(folder, part, [part] * 2, *tables, CLASSES.names, COLOURS)
    return {path.stem: path.read_bytes() for path in folder.glob("*.png")}


@pytest.mark.parametrize("rows", [20, 1, 0])
def test_all_pictures_are_drawn_of_many_nuclei_or_none(tmp_path, rows):
    found = draw(tmp_path / "one", evaluations.confused(10, 3).iloc[:rows])
    assert sorted(found) == list(NAMES)
    for name in NAMES:
        with Image.open(tmp_path / "one" / f"{name}.png") as image:
            assert np.asarray(image.convert("L")).std() > 1


def test_equal_evaluations_make_equal_files(tmp_path):
    cells = evaluations.confused(10, 3)
    assert draw(tmp_path / "one", cells) == draw(tmp_path / "two", cells)


def test_classes_of_the_colours_of_the_schema_are_in_the_bars(tmp_path):
    draw(tmp_path / "one", evaluations.confused(10, 3))
    with Image.open(tmp_path / "one" / "classes.png") as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    for name in ("cancer_cell", "normal_cell"):
        assert (pixels == COLOURS[name]).all(axis=1).sum() > 1000
    assert not (pixels == COLOURS["Other"]).all(axis=1).sum() > 1000


def test_the_darkest_field_of_the_confusion_is_the_largest_share(tmp_path):
    counts = np.array([[0, 9, 1], [0, 0, 10]])
    draw_confusion(tmp_path / "c.png", counts, ["Background", "A", "B"])
    with Image.open(tmp_path / "c.png") as image:
        pixels = np.asarray(image.convert("L")).astype(int)
    dark = pixels < 90
    rows, columns = np.nonzero(dark)
    assert columns.max() - columns.min() > 100
    assert rows.max() - rows.min() > 30
