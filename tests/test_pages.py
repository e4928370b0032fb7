"""Pages name settings, commands and files that there are."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from sthelar_build.commands import COMMANDS
from sthelar_build.config import Config
from sthelar_build.stages import STAGES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
STAGE_SETTINGS = {
    name.rstrip("_"): field.annotation
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}


def named(pattern):
    return [
        (page.name, *found) for page in PAGES for found in re.findall(pattern, page.read_text())
    ]


def test_settings_exist():
    found = set(named(r"`(\w+)\.(?!html|py|md|json|smk)(\w+)(?:: [^`]*)?`"))
    # A variable of the examples there.
    settings = [
        one for one in found - {("loading.md", "train", "patches")} if one[1] in STAGE_SETTINGS
    ]
    assert len(settings) > 30
    for page, stage, key in settings:
        assert key in STAGE_SETTINGS[stage].model_fields, f"{page}: {stage}.{key}"


def test_commands_exist():
    for page in PAGES:
        for name in re.findall(r"(?:^|`)sthelar-build ([a-z][\w-]*)", page.read_text(), re.M):
            assert name in (*COMMANDS, *STAGES), f"{page.name}: {name}"


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        (".", r"\b((?:benchmarks|docs|tests|envs|profiles|src)/[\w/.-]*\w\.\w+)\b"),
        ("src/sthelar_build", r"`((?:core|io|schema|stages|adapters|settings)/[\w/]+\.\w+)`"),
    ],
)
def test_files_exist(folder, pattern):
    for page in PAGES:
        for name in re.findall(pattern, page.read_text()):
            assert (ROOT / folder / name).exists(), f"{page.name}: {name}"
