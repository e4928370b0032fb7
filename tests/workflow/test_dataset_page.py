"""The code that the page of the dataset shows runs as it stands, on what the toy run has made."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sthelar_build

pytestmark = pytest.mark.workflow

RUNNER = """
import json, sys
for name, code in json.load(sys.stdin).items():
    print(name, flush=True)
    exec(compile(code, name, "exec"), {})
"""


def test_every_example_of_the_page_runs_in_its_folder(built, tmp_path):
    folder = built.folder / "results/dataset/40x"
    page = (folder / "index.html").read_text()
    blocks = re.findall(
        r'<div class="code" data-name="([^"]*)"><pre[^>]*>(.*?)</pre>', page, re.DOTALL
    )
    examples = {name: html.unescape(code) for name, code in blocks}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(examples),
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(Path(sthelar_build.__file__).parents[1]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stdout.split("\n")[:-1] == list(examples)
    assert {"PyTorch", "SpatialData", "pannuke", "hest", "qupath", "stimage"} <= set(examples)
