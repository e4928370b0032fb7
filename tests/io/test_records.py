"""Small JSON artefacts."""

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.records import read_record, write_record


def test_a_record_survives_with_its_provenance(tmp_path):
    path = tmp_path / "a.json"
    write_record(path, {"verdict": "pass"}, {"stage": "register"})
    assert read_record(path, ["verdict"]) == {
        "verdict": "pass",
        "provenance": {"stage": "register"},
    }


def test_a_missing_key_is_named(tmp_path):
    path = tmp_path / "a.json"
    write_record(path, {}, {})
    with pytest.raises(InputError, match="found no matrix"):
        read_record(path, ["matrix"])


@pytest.mark.parametrize("content", ["{", None])
def test_what_is_not_json_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    if content:
        path.write_text(content)
    with pytest.raises(InputError, match="expected a JSON file"):
        read_record(path)


def test_nan_is_refused_and_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_record(tmp_path / "a.json", {"x": float("nan")}, {})
    assert list(tmp_path.iterdir()) == []
