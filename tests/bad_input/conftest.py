"""A slide of one's own to damage: its tables are there once, as parquet."""

import shutil
from functools import partial

import pytest

from bad_input.refusals import Slide, called


@pytest.fixture
def slide(toy, tmp_path, monkeypatch, capsys):
    raw = tmp_path / "raw"
    shutil.copytree(toy.raw, raw, ignore=shutil.ignore_patterns("truth", "*.csv.gz"))
    return Slide(raw, tmp_path / "out", partial(called, monkeypatch, capsys))
