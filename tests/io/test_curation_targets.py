"""A target is understood by its words alone, and the files that it names are known before any work."""

from pathlib import Path

import pytest

from sthelar_build.errors import ConfigError
from sthelar_build.io.curation_targets import (
    NeededFiles,
    Target,
    files_of_table,
    hint,
    needed_files,
    parse_target,
    read_lines,
    strays,
)

HEAD = "target\tlabel\twho\twhen\twhy\n"
FOLDER = Path("curation")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("cluster:7@1.AAAAA", Target("cluster", "7@1.AAAAA")),
        ("cell: aaaa-1", Target("cell", "aaaa-1")),
        ("cells:mine.csv", Target("cells", "", FOLDER / "mine.csv")),
        ("region:a b.geojson#nest 1", Target("region", "", FOLDER / "a b.geojson", "nest 1")),
        ("polygon:1,2 3,4 5,2.5", Target("polygon", "1,2 3,4 5,2.5")),
        ("region:/abs/a.csv", Target("region", "", Path("/abs/a.csv"))),
    ],
)
def test_a_target_is_a_kind_and_a_value(text, target):
    assert parse_target("t: line 2", text, FOLDER) == target


@pytest.mark.parametrize("text", ["7", "clusters:7", "cluster:", "regoin:a.csv"])
def test_other_words_are_refused_with_the_nearest_kind(text):
    with pytest.raises(ConfigError, match=r"^t: line 2: expected cluster:KEY, .*nearest: '"):
        parse_target("t: line 2", text, FOLDER)


def test_geojson_is_drawn_on_the_he_and_csv_is_in_um():
    assert parse_target("t", "region:a.GeoJSON", FOLDER).drawn_on_he
    assert not parse_target("t", "region:a.csv", FOLDER).drawn_on_he
    assert not parse_target("t", "cells:a.json", FOLDER).drawn_on_he


def test_a_polygon_needs_no_file_but_the_place_of_the_he(tmp_path):
    assert files_of_table(write(tmp_path, "polygon:0,0 1,0 1,1")).drawn_on_he


def write(tmp_path, *targets):
    lines = "".join(f"{target}\tMast\tme\t2026-01-31\tseen\n" for target in targets)
    path = tmp_path / "slide.tsv"
    path.write_text(f"# mine\n{HEAD}{lines}", encoding="utf-8")
    return path


def test_files_are_relative_to_the_table_and_named_once(tmp_path):
    (tmp_path / "a.csv").touch()
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn/b.geojson").touch()
    path = write(tmp_path, "cluster:7", "cells:a.csv", "region:a.csv")
    assert files_of_table(path) == NeededFiles(path, (tmp_path / "a.csv",), False)
    path = write(tmp_path, "region:drawn/b.geojson#x", "region:drawn/b.geojson#y", "cells:a.csv")
    assert files_of_table(path).files == (tmp_path / "drawn/b.geojson", tmp_path / "a.csv")
    assert needed_files(tmp_path, "slide").drawn_on_he
    assert needed_files(tmp_path, "other") == NeededFiles()


def test_a_file_that_is_not_there_is_named_with_its_line(tmp_path):
    with pytest.raises(ConfigError, match=r"slide\.tsv: line 4: expected the file .*none\.csv"):
        files_of_table(write(tmp_path, "cluster:7", "cells:none.csv"))


def test_lines_know_their_number_and_a_column_by_another_name_is_refused(tmp_path):
    ((where, target, row),) = read_lines(write(tmp_path, "cluster:7"))
    assert where.endswith("slide.tsv: line 3")
    assert (target.value, row["only"]) == ("7", "")
    path = tmp_path / "slide.tsv"
    path.write_text(path.read_text().replace("why", "why\tonyl"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"expected no columns but .*, found also onyl"):
        read_lines(path)


def test_a_hint_names_the_nearest_word_if_there_is_any():
    assert hint("epithelail", ["T_NK", "Epithelial"]) == " (nearest: 'Epithelial'); correct it"
    assert hint("x", []) == "; correct it"


def test_tables_of_no_slide_are_found(tmp_path):
    path = write(tmp_path, "cluster:7")
    assert strays(tmp_path, {"slide"}) == []
    assert strays(tmp_path, {"slid"}) == [path]
    assert strays(tmp_path / "none", {"slide"}) == []
