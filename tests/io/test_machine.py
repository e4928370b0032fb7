"""What the machine offers, and what a container leaves of it."""

from sthelar_build.io.machine import free_mb, memory_mb, n_cores


def test_the_limit_of_a_container_counts_where_it_is_the_smaller(tmp_path):
    installed = memory_mb(())
    (tmp_path / "limit").write_text("256000000\n")
    (tmp_path / "none").write_text("max\n")
    assert memory_mb((tmp_path / "limit",)) == 256
    assert memory_mb((tmp_path / "none", tmp_path / "absent")) == installed > 256


def test_there_is_a_core():
    assert n_cores() >= 1


def test_the_room_of_a_folder_that_is_not_yet_there_is_that_of_its_disk(tmp_path):
    here, later = free_mb(tmp_path), free_mb(tmp_path / "later" / "still")
    assert abs(here - later) < 0.1 * here
