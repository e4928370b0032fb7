"""Whole or absent."""

import errno
import subprocess
import sys

import pytest

from sthelar_build.io.atomic import published


def test_a_file_appears_only_after_the_block(tmp_path):
    final = tmp_path / "new" / "a.txt"
    with published(final) as draft:
        draft.write_text("whole")
        assert not final.exists()
    assert final.read_text() == "whole"
    assert [path.name for path in final.parent.iterdir()] == ["a.txt"]


def test_a_failure_leaves_what_stood_there_and_nothing_else(tmp_path):
    final = tmp_path / "a.txt"
    final.write_text("old")
    with pytest.raises(ZeroDivisionError), published(final) as draft:  # noqa: PT012
        draft.write_text("half")
        _ = 1 / 0
    assert final.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_replaces_a_folder_as_a_whole(tmp_path):
    final = tmp_path / "store"
    final.mkdir()
    (final / "stale").touch()
    with published(final) as draft:
        draft.mkdir()
        (draft / "fresh").touch()
    assert [path.name for path in final.iterdir()] == ["fresh"]


def test_an_empty_folder_that_the_workflow_made_beforehand_is_no_obstacle(tmp_path):
    final = tmp_path / "store"
    final.mkdir()
    with published(final) as draft:
        draft.mkdir()
        (draft / "manifest.json").touch()
    assert (final / "manifest.json").exists()


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    final = tmp_path / "store"
    with Process(final) as killed, Process(final) as living:
        killed.process.kill()
        killed.process.wait()
        assert len(list(tmp_path.glob(".store.*/store/half"))) == 2
        with published(final) as draft:
            draft.mkdir()
        assert len(list(tmp_path.glob(".store.*/store/half"))) == 1
        living.go_on()
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert (final / "half").exists()


def test_a_file_stays_where_a_folder_was_to_be(tmp_path):
    final = tmp_path / "store"
    final.write_text("a file")
    with pytest.raises(NotADirectoryError) as error, published(final) as draft:
        draft.mkdir()
    assert error.value.filename == str(final)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_folder_stays_where_a_file_was_to_be(tmp_path):
    final = tmp_path / "a.txt"
    final.mkdir()
    with pytest.raises(IsADirectoryError), published(final) as draft:
        draft.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_where_the_parent_is_to_be_is_named(tmp_path):
    (tmp_path / "parent").write_text("a file")
    with (
        pytest.raises(NotADirectoryError) as error,
        published(tmp_path / "parent" / "a.txt"),
    ):
        pass
    assert error.value.filename == str(tmp_path / "parent")


def test_a_full_disk_is_named_by_the_final_place_however_deep_it_is_met(tmp_path):
    final = tmp_path / "a.txt"
    with (
        pytest.raises(OSError, match="No space") as error,
        published(final) as draft,
        published(draft),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(final))
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_elsewhere_keeps_its_name(tmp_path):
    with pytest.raises(PermissionError) as error, published(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "Permission denied", "other.txt")
    assert error.value.filename == "other.txt"


class Process:
    """Another process, half-way through publishing a folder."""

    def __init__(self, final):
        self.script = (
            "from pathlib import Path\n"
            "from sthelar_build.io.atomic import published\n"
            f"with published(Path({str(final)!r})) as draft:\n"
            "    draft.mkdir()\n"
            "    (draft / 'half').touch()\n"
            "    print('half', flush=True)\n"
            "    input()\n"
        )

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "half\n"
        return self

    def go_on(self):
        self.process.communicate("\n")
        assert self.process.returncode == 0

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
