"""Human decisions are read line by line, and mistakes in them are named."""

import pandas as pd
import pytest

from sthelar_build.core.cluster_keys import HashedClusters
from sthelar_build.core.decisions import NamedCells, NamedCluster
from sthelar_build.errors import ConfigError
from sthelar_build.io.curation import read_curation
from sthelar_build.schema.frames import Frame

HEAD = "target\tlabel\twho\twhen\twhy\tonly\n"
KEY = HashedClusters(["a", "b"], pd.Series(["1", "1"])).key("1")


def read(tmp_path, *lines, label_map=None):
    path = tmp_path / "slide.tsv"
    path.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return read_curation(path, label_map or {})


def line(target="cell:a", label="Mast", who="me", when="2026-01-31", why="KIT", only=""):
    return "\t".join([target, label, who, when, why, only])


def test_targets_of_every_kind_are_read(tmp_path):
    (tmp_path / "cells.csv").write_text("# two\nCell ID\nx\ny\n")
    (tmp_path / "lasso.csv").write_text("X,Y\n0,0\n4,0\n4,4\n")
    square = '{"type": "Polygon", "coordinates": [[[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]]]}'
    (tmp_path / "drawn.geojson").write_text(f'[{{"geometry": {square}, "properties": {{}}}}]')
    targets = [f"cluster:{KEY}", "cell:aaaa-1", "cells:cells.csv", "region:lasso.csv"]
    found = read(tmp_path, *map(line, [*targets, "region:drawn.geojson", "polygon:0,0 2,0 2,1"]))
    assert [decision.line for decision in found] == [2, 3, 4, 5, 6, 7]
    assert found[0].target == NamedCluster(KEY)
    assert found[1].target == NamedCells(["aaaa-1"])
    assert found[2].target == NamedCells(["x", "y"])
    assert (found[3].target.area.area, found[3].target.frame) == (8, Frame.UM)
    assert (found[4].target.area.area, found[4].target.frame) == (9, Frame.HE)
    assert (found[5].target.area.area, found[5].target.frame) == (1, Frame.HE)
    assert [decision.words for decision in found] == [
        "cluster 1",
        "cell aaaa-1",
        "cells of cells.csv",
        "region of lasso.csv",
        "region of drawn.geojson",
        "polygon of 3 corners",
    ]


def test_a_restriction_is_a_class_or_a_cluster(tmp_path):
    found = read(tmp_path, line(only="Epithelial"), line(only=f"cluster:{KEY}"), line())
    assert [decision.only for decision in found] == ["Epithelial", NamedCluster(KEY), None]
    assert [decision.words for decision in found] == [
        "cell a, only Epithelial",
        "cell a, only cluster 1",
        "cell a",
    ]
    with pytest.raises(ConfigError, match=r"found 'Epitelial' \(nearest: 'Epithelial'\)"):
        read(tmp_path, line(only="Epitelial"))


def test_no_file_and_an_empty_file_decide_nothing(tmp_path):
    assert read_curation(None, {}) == []
    (tmp_path / "none.tsv").write_text("# nothing yet\n")
    assert read_curation(tmp_path / "none.tsv", {}) == []


def test_the_column_only_may_be_left_out(tmp_path):
    path = tmp_path / "slide.tsv"
    path.write_text("target\tlabel\twho\twhen\twhy\ncell:a\tMast\tme\t2026-01-31\tKIT\n")
    (found,) = read_curation(path, {})
    assert (found.label.label, found.only) == ("Mast", None)


def test_labels_of_the_label_map_are_known(tmp_path):
    (found,) = read(tmp_path, line(label="novel"), label_map={"novel": "Myeloid"})
    assert found.label.class_name == "Myeloid"
    (found,) = read(tmp_path, line(label="Plasma cells"))
    assert found.label.label == "Plasma"


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("Keratinocite", "Keratinocyte"),
        ("Fibroblast_Myofibroblats", "Fibroblast_Myofibroblast"),
        ("nvoel", "novel"),
    ],
)
def test_an_unknown_label_is_named_with_the_nearest_one(tmp_path, wrong, nearest):
    with pytest.raises(ConfigError, match=rf"line 2: .*'{wrong}' \(nearest: '{nearest}'\)"):
        read(tmp_path, line(label=wrong), label_map={"novel": "Myeloid"})


def test_a_bare_number_is_a_cluster_without_a_key_and_half_a_key_is_refused(tmp_path):
    (found,) = read(tmp_path, line(target="cluster:1"))
    assert found.target == NamedCluster("1")
    with pytest.raises(ConfigError, match="line 2: expected the whole key of a cluster"):
        read(tmp_path, line(target=f"cluster:{KEY}"[:-2]))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ({"who": ""}, "expected words in the column who, found none"),
        ({"why": ""}, "expected words in the column why, found none"),
        ({"when": "31/01/2026"}, "expected a date such as 2026-01-31 .*found '31/01/2026'"),
        (
            {"target": "nucleus:1"},
            "expected cluster:KEY, cell:ID, cells:FILE, region:FILE or polygon:CORNERS",
        ),
        ({"target": "region:cells.csv"}, r"cells\.csv: expected the columns X, Y, .*write cells:"),
    ],
)
def test_what_is_missing_or_wrong_is_named_with_its_line(tmp_path, mistake, message):
    (tmp_path / "cells.csv").write_text("Cell ID\nx\n")
    with pytest.raises(ConfigError, match=rf"slide\.tsv: line 2: .*{message}"):
        read(tmp_path, line(**mistake))
