"""A scratch folder is found again by the same work alone, and goes once the work is done."""

import fcntl
from contextlib import suppress

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.scratch import remembered, resumable


def hidden(folder):
    return sorted(path.name for path in folder.glob(".*"))


def interrupted(final, work):
    """Write a file, then end as by Ctrl-C; return whether the file was there before."""
    found = []
    with suppress(KeyboardInterrupt), resumable(final, work) as scratch:
        found.append((scratch / "row").exists())
        (scratch / "row").write_text("done")
        raise KeyboardInterrupt
    return found[0]


def test_the_same_work_finds_what_was_done_and_other_work_does_not(tmp_path):
    assert not interrupted(tmp_path / "out", {"a": 1})
    assert interrupted(tmp_path / "out", {"a": 1})
    assert not interrupted(tmp_path / "out", {"a": 2})
    assert len(hidden(tmp_path)) == 2
    with resumable(tmp_path / "out", {"a": 1}) as scratch:
        assert (scratch / "row").read_text() == "done"
    assert hidden(tmp_path) == []


def test_another_output_beside_it_is_left_alone(tmp_path):
    interrupted(tmp_path / "other", {"a": 1})
    with resumable(tmp_path / "out", {"a": 1}):
        pass
    assert len(hidden(tmp_path)) == 1


def test_a_mistake_of_the_user_leaves_nothing(tmp_path):
    with pytest.raises(InputError), resumable(tmp_path / "out", {"a": 1}):
        raise InputError("broken")
    assert hidden(tmp_path) == []


def test_two_at_the_same_work_are_refused_and_the_first_is_not_disturbed(tmp_path):
    with (
        resumable(tmp_path / "out", {"a": 1}) as scratch,
        pytest.raises(InputError, match="a process that is still at it"),
        resumable(tmp_path / "out", {"a": 1}),
    ):
        pass
    assert not scratch.exists()


def test_other_work_that_goes_on_is_not_removed(tmp_path):
    with resumable(tmp_path / "out", {"a": 1}) as scratch:
        with resumable(tmp_path / "out", {"a": 2}):
            pass
        assert scratch.exists()


def test_a_file_system_without_locks_does_without(tmp_path, monkeypatch):
    def none(*_):
        raise OSError

    monkeypatch.setattr(fcntl, "flock", none)
    with resumable(tmp_path / "out", {"a": 1}) as scratch:
        assert scratch.is_dir()
    assert hidden(tmp_path) == []


def test_notes_are_kept_for_the_next_process(tmp_path):
    assert remembered(tmp_path, "ran_on", []) == []
    assert remembered(tmp_path, "ran_on", [{"device": "cpu"}], renew=True) == [{"device": "cpu"}]
    assert remembered(tmp_path, "ran_on", []) == [{"device": "cpu"}]
