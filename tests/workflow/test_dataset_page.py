"""The page of the dataset in a browser and on disk: it sorts, it fits, it leads on, and the code that it shows runs."""

import html
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import sthelar_build
from workflow.browser import SIZES, opened

pytestmark = pytest.mark.workflow

SLIDES = "#slides ~ .scroll table"
RUNNER = """
import json, sys
for name, code in json.load(sys.stdin).items():
    print(name, flush=True)
    exec(compile(code, name, "exec"), {})
"""


@pytest.fixture(scope="module")
def page_file(built):
    return built.folder / "results/dataset/40x/index.html"


def column(page, number, table=SLIDES):
    cells = page.locator(table).first.locator(f"tbody tr > :nth-child({number})")
    return [text.split("\n")[0] for text in cells.all_inner_texts()]


def test_every_example_of_the_page_runs_in_its_folder(page_file, tmp_path):
    pattern = r'<div class="code" data-name="([^"]*)"><pre[^>]*>(.*?)</pre>'
    blocks = re.findall(pattern, page_file.read_text(), re.DOTALL)
    examples = {name: html.unescape(code) for name, code in blocks}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(examples),
        cwd=page_file.parent,
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


def test_every_slide_leads_to_its_report(page_file):
    links = re.findall(r'href="([^"#][^"]*)"', page_file.read_text())
    assert len(links) == 3
    assert all((page_file.parent / link).is_file() for link in links)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(chromium, page_file, size, scheme):
    with opened(chromium, page_file, size, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]


def test_slides_sort_by_a_number_and_back_by_keyboard_alone(chromium, page_file):
    with opened(chromium, page_file) as page:
        assert column(page, 1) == ["toy_auto", "toy_breast", "toy_skin"]
        page.locator(SLIDES).first.get_by_role("button", name="nuclei a patch").focus()
        page.keyboard.press("Enter")
        assert column(page, 1) == ["toy_skin", "toy_breast", "toy_auto"]
        page.keyboard.press("Enter")
        assert column(page, 1) == ["toy_auto", "toy_breast", "toy_skin"]
        head = page.locator(SLIDES).first.locator("th[aria-sort]")
        assert head.get_attribute("aria-sort") == "descending"


def test_code_is_copied_as_it_stands(chromium, page_file):
    rights = ["clipboard-read", "clipboard-write"]
    with opened(chromium, page_file, permissions=rights) as page:
        page.get_by_role("button", name="Copy the code for PyTorch").click()
        page.get_by_text("Copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator('[data-name="PyTorch"] pre').text_content()


def test_a_screen_reader_hears_what_scrolls_and_what_heads_a_row(chromium, page_file):
    with opened(chromium, page_file, "phone") as page:
        assert page.get_by_role("region", name="Slides side by side").count() == 1
        assert page.get_by_role("rowheader", name="toy_breast").count() >= 2
        unnamed = page.locator("img:not([alt])").count()
        assert unnamed == 0
        heads = page.locator("h1, h2, h3").evaluate_all("all => all.map(one => +one.tagName[1])")
        assert all(after - before <= 1 for before, after in pairwise(heads))
