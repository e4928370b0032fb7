"""A clean clone, one that has built the toy slides, and one browser for all pages."""

import os
from pathlib import Path

import pytest

from workflow.browser import chromium
from workflow.clones import Clone, clean_clone

__all__ = ["chromium"]


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return clean_clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Build the toy slides in a clean clone.

    ``STHELAR_BUILT``, where it is set, names a folder that has built them: it saves minutes in
    ``.ci/run``, and while one writes tests.
    """
    if folder := os.environ.get("STHELAR_BUILT"):
        return Clone(Path(folder).resolve())
    clone = clean_clone(tmp_path_factory.mktemp("built"))
    done = clone.snakemake()
    assert done.returncode == 0, done.stdout + done.stderr
    return clone
