"""Human decisions are read line by line, and mistakes in them are named."""

import pytest

from sthelar_build.errors import ConfigError
from sthelar_build.io.curation import read_curation

HEAD = "target\tlabel\twho\twhen\twhy\n"


def read(tmp_path, text, label_map=None):
    path = tmp_path / "slide.tsv"
    path.write_text(text, encoding="utf-8")
    return read_curation(path, ["0", "1"], {"aaaa-1"}, label_map or {})


def test_clusters_and_cells_are_told_apart_and_the_last_line_counts(tmp_path):
    text = (
        "# decided in the meeting\n"
        + HEAD
        + "cluster:1\tMast\tme\t2026-01-31\tKIT\n"
        + "cell:aaaa-1\tEpithelial\tme\t2026-01-31\tH&E\n"
        + "cluster:1\tPlasma cells\tme\t2026-02-01\tIGHG1\n"
    )
    found = read(tmp_path, text)
    assert found.clusters["1"].label.label == "Plasma"
    assert found.clusters["1"].reason == "curated by me on 2026-02-01: IGHG1"
    assert found.cells["aaaa-1"].label.class_name == "Epithelial"


def test_no_file_and_an_empty_file_decide_nothing(tmp_path):
    assert read_curation(None, [], [], {}).clusters == {}
    assert read(tmp_path, "# nothing yet\n").clusters == {}


def test_labels_of_the_label_map_are_known(tmp_path):
    text = HEAD + "cluster:0\tnovel\tme\ttoday\tseen\n"
    assert read(tmp_path, text, {"novel": "Myeloid"}).clusters["0"].label.class_name == "Myeloid"


@pytest.mark.parametrize("target", ["cluster:9", "cell:bbbb-1", "1", "nucleus:1"])
def test_an_unknown_target_is_named_with_its_line(tmp_path, target):
    with pytest.raises(ConfigError, match=f"line 3: .*found '{target}'"):
        read(tmp_path, f"# first\n{HEAD}{target}\tMast\tme\ttoday\tseen\n")


def test_an_unknown_label_is_named_with_the_nearest_one(tmp_path):
    with pytest.raises(ConfigError, match=r"line 2: .*'Keratinocite' \(nearest: 'Keratinocyte'\)"):
        read(tmp_path, HEAD + "cluster:1\tKeratinocite\tme\ttoday\tseen\n")


def test_other_columns_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected the tab-separated columns target, label"):
        read(tmp_path, "cluster\tlabel\n1\tMast\n")
