"""Every Python example of the README runs on what the toy run has made."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

README = (Path(__file__).parents[2] / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_there_is_an_example_for_every_format():
    text = "".join(EXAMPLES)
    assert all(name in text for name in (".zarr", "pannuke", "huggingface", "cellvit", "sthelar"))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_readme_runs(built, tmp_path, example):
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=built.folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
