"""The labelled nuclei, as the viewer draws them."""

import json
import re
from base64 import b64decode
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from slides.turned_slide import make_turned_slide, turned_matrix
from sthelar_build.core.coded_outlines import STEPS_PER_PX
from sthelar_build.core.nucleus_blocks import NO_CLUSTER
from sthelar_build.errors import InputError
from sthelar_build.io.provenance import provenance
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.settings.outline import OutlineSettings
from sthelar_build.stages.outline import run


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return make_turned_slide(tmp_path_factory.mktemp("outline") / "slide", turned_matrix(20))


@pytest.fixture(scope="module")
def placed(slide):
    return Transform(slide.he_to_morphology, "matrix", 700, 900, 0.2125)


@pytest.fixture(scope="module")
def outlines(slide, placed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    write_transform(folder / "transform.json", placed, provenance("test"))
    return outline(slide, folder)


def outline(slide, folder, **settings):
    run(
        nuclei=slide.nuclei_table,
        labels=slide.labels,
        transform=folder / "transform.json",
        outlines=folder / "viewer_nuclei",
        settings=OutlineSettings(**{"block_um": 60, **settings}),
    )
    return folder / "viewer_nuclei"


def call(path):
    """Return the values with which a script calls its function."""
    (values,) = re.fullmatch(r"viewer(?:Block|Overview)\((.*)\);\n", path.read_text()).groups()
    return json.loads(f"[{values}]")


def columns(data, n):
    shorts = np.frombuffer(data[: 8 * n], "<u2").reshape(4, n)
    octets = np.frombuffer(data[8 * n : 13 * n], np.uint8).reshape(5, n)
    steps = np.frombuffer(data[13 * n :], np.int8).reshape(-1, 2)
    return shorts, octets, steps


def test_a_page_can_draw_every_nucleus_of_the_image_where_it_lies(slide, placed, outlines):
    facts = json.loads((outlines / "manifest.json").read_text())
    shapes = placed.um_to_he.apply_to_geometries(slide.nuclei.geometry.to_numpy())
    expected = pd.Series(shapes, index=slide.nuclei.cell_id)
    seen = 0
    for name, n in facts["blocks"].items():
        found, ids, data = call(outlines / f"{name}.js")
        assert (found, len(ids)) == (name, n)
        corner = np.array([int(word) for word in name.split("_")]) * facts["block_px"]
        shorts, octets, steps = columns(b64decode(data), n)
        start = np.concatenate([[0], np.cumsum(octets[3], dtype=int)])
        for row, cell in enumerate(ids):
            centre = corner + shorts[:2, row] / STEPS_PER_PX
            corners = centre + steps[start[row] : start[row + 1]] * (octets[4, row] / STEPS_PER_PX)
            drawn = shapely.Polygon(corners)
            shares = [
                drawn.intersection(true).area / drawn.union(true).area
                for true in expected.loc[[cell]]
            ]
            assert max(shares) > 0.93
        seen += n
    assert seen == facts["n_nuclei"]
    assert seen + facts["n_off_image"] == len(slide.nuclei)
    assert facts["n_off_image"] > 0


def test_words_stand_behind_the_numbers(slide, outlines):
    facts = json.loads((outlines / "manifest.json").read_text())
    labels = pd.read_parquet(slide.labels).set_index("cell_id")
    classes = {one["index"]: one["name"] for one in facts["classes"]}
    for name, n in facts["blocks"].items():
        _, ids, data = call(outlines / f"{name}.js")
        shorts, octets, _ = columns(b64decode(data), n)
        of_cells = labels.loc[ids]
        assert [classes[index] for index in octets[0]] == of_cells.final_label.tolist()
        assert [facts["label2"][index] for index in shorts[3]] == of_cells.label2.tolist()
        assert [facts["decided_by"][index] for index in octets[2]] == of_cells.decided_by.tolist()
        assert octets[1] / 255 == pytest.approx(of_cells.confidence.to_numpy(), abs=0.003)
        for index, cluster in zip(shorts[2], of_cells.cluster, strict=True):
            assert cluster is None if index == NO_CLUSTER else facts["cluster"][index] == cluster
    assert sum(one["n"] for one in facts["classes"]) == facts["n_nuclei"]


def test_the_overview_holds_every_nucleus_of_a_small_slide(outlines):
    facts = json.loads((outlines / "manifest.json").read_text())
    (data,) = call(outlines / "overview.js")
    n = facts["n_nuclei"]
    assert facts["n_overview"] == n
    places = np.frombuffer(b64decode(data)[: 4 * n], "<u2").reshape(2, n).T
    blocks = (places * facts["overview_unit_px"] // facts["block_px"]).astype(int)
    names, counts = np.unique([f"{x}_{y}" for x, y in blocks], return_counts=True)
    found = dict(zip(names, counts, strict=True))
    assert sum(abs(found.get(name, 0) - n) for name, n in facts["blocks"].items()) <= 2


def test_nuclei_without_a_label_are_refused_and_nothing_is_left(slide, placed, tmp_path):
    write_transform(tmp_path / "transform.json", placed, provenance("test"))
    labels = pq.read_table(slide.labels)
    pq.write_table(labels.slice(0, len(labels) - 1), tmp_path / "labels.parquet")
    short = SimpleNamespace(nuclei_table=slide.nuclei_table, labels=tmp_path / "labels.parquet")
    # The last cell has two nuclei.
    with pytest.raises(InputError, match="found 2 nuclei without one"):
        outline(short, tmp_path)
    assert not (tmp_path / "viewer_nuclei").exists()
