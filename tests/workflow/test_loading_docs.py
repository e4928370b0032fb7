"""Every example of docs/loading.md runs on what the toy run has made, where the package that it shows is installed."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sthelar_build

pytestmark = pytest.mark.workflow

PAGE = (Path(__file__).parents[2] / "docs/loading.md").read_text()
BLOCKS = re.findall(r"(?:<!-- needs: (\w+) -->\n)?```python\n(.*?)```", PAGE, flags=re.DOTALL)
SAID = {
    "spatialdata_plot": r"^$",
    # The tumour, the sixth of eight classes, keeps to itself.
    "squidpy": r"^Epithelial(?: +-\d+\.\d){5} +[1-9]\d\.\d",
    "napari_spatialdata": r"\['he', 'nucleus_boundaries'\]",
}


def run(code, built, folder):
    (folder / "results").symlink_to(built.folder / "results")
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "MPLBACKEND": "agg",
            "PYTHONPATH": str(Path(sthelar_build.__file__).parents[1]),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_there_is_an_example_for_every_program():
    assert {package for package, _ in BLOCKS if package} == set(SAID)
    assert sum("PatchDataset(" in code for _, code in BLOCKS) == 3


def test_the_examples_with_our_own_packages_run(built, tmp_path):
    # One process, as most of the time goes into imports.
    runs = [
        f"exec(compile({code!r}, 'example', 'exec'), {{}})" for need, code in BLOCKS if not need
    ]
    done = run("\n".join(runs), built, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "torch.Size([8, 3, 256, 256])" in done.stdout
    assert done.stdout.endswith(" nuclei\n")


@pytest.mark.parametrize(("package", "code"), [block for block in BLOCKS if block[0]])
def test_an_example_with_another_package_runs(built, tmp_path, package, code):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed; docs/loading.md says how")
    done = run(code, built, tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(SAID[package], done.stdout, re.MULTILINE), done.stdout
    assert (tmp_path / "toy_breast.png").is_file() == (package == "spatialdata_plot")
