"""Packages and their versions, without importing them."""

from sthelar_build.io.environment import installed_version, locked_versions, required_packages


def test_the_version_is_that_of_the_package_and_not_of_its_build():
    assert "+" not in installed_version("torch")
    assert installed_version("no-such-package") is None


def test_what_the_project_asks_for_is_here():
    found = required_packages()
    assert set(found.values()) <= {""}
    assert not found or {"numpy", "torch", "snakemake"} <= found.keys()


def test_a_lock_is_read_pin_by_pin(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==2.4.4\n    # via scipy\ntorch==2.13.0+cpu ; x\n")
    assert locked_versions(lock) == {"numpy": "2.4.4", "torch": "2.13.0"}
    assert locked_versions(tmp_path / "absent") == {}
