"""What is generated is not behind its source, and every environment has the versions of the lock."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def generate():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        return loaded()


def loaded():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(
    "path", ["config/README.md", "docs/cli.md", "envs/sthelar.yaml", "docs/artefacts.md"]
)
def test_it_is_up_to_date(generate, path):
    assert (ROOT / path).read_text() == generate.OUTPUTS[path](), "run: make docs"


def test_every_dependency_is_locked(generate, project):
    locked = {pin.split("==")[0].lower().replace("_", "-") for pin in generate.locked()}
    # Cellpose 3 asks for a numpy, squidpy for an imagecodecs that is older than that of the others.
    extras = {
        name: lines
        for name, lines in project["optional-dependencies"].items()
        if name not in {"segment", "interop"}
    }
    wanted = [project["dependencies"], *extras.values()]
    names = {re.match(r"[A-Za-z0-9_.-]+", line)[0].lower() for group in wanted for line in group}
    assert {name.replace("_", "-") for name in names} <= locked


def test_the_lock_names_no_machine():
    text = (ROOT / "requirements.lock").read_text()
    assert "torch==2.13.0\n" in text
    assert "://" not in text


def test_the_image_installs_the_lock_and_has_the_name_that_the_workflow_asks_for(project):
    dockerfile = (ROOT / "envs" / "Dockerfile").read_text()
    image = f"ghcr.io/sthelar/sthelar_build:{project['version']}"
    assert "--requirement requirements.lock" in dockerfile
    assert image in dockerfile
    assert f'container: "docker://{image}"' in (ROOT / "Snakefile").read_text()


def test_what_the_image_copies_is_there_and_is_sent_to_its_build():
    dockerfile = (ROOT / "envs" / "Dockerfile").read_text()
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    copies = re.findall(r"^COPY (.*)$", dockerfile, re.MULTILINE)
    copied = [name for words in copies for name in words.split()[:-1]]
    assert {"requirements.lock", "src"} < set(copied)
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in sent


def test_the_version_is_the_same_everywhere(project):
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text()
