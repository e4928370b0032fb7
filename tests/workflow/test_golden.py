"""The same inputs and settings give the same artefacts; a change of meaning comes with a new revision."""

import json

import pytest

from workflow import golden

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def frozen():
    return json.loads(golden.GOLDEN.read_text())


def test_the_frozen_digests_are_those_of_the_present_revisions(frozen):
    assert frozen["revisions"] == golden.revisions(), (
        "a revision was bumped: freeze the new artefacts with python tests/workflow/golden.py results"
    )


@pytest.mark.parametrize("slide", ["toy_breast", "toy_skin", "toy_auto"])
def test_the_toy_artefacts_are_what_they_were(frozen, built, slide):
    found = golden.digests(built.folder / "results", slide)
    changed = [name for name, value in frozen["digests"][slide].items() if found[name] != value]
    assert not changed, f"{changed} changed: bump the revision of the stage, or undo the change"
