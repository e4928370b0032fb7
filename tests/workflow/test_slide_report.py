"""The report of a slide in a browser: nothing goes wrong in it, and what it shows is what the files say."""

import io
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from slides import three_cells
from slides.reports import make_report
from slides.viewers import make_viewer
from sthelar_build.core.wording import count
from sthelar_build.settings.report import ReportSettings
from workflow.browser import SIZES, opened, wait_for
from workflow.test_curation import LABELS, copy, planned  # noqa: F401

pytestmark = pytest.mark.workflow

SLIDE = "toy_breast"
VIEWER = "window.slideViewer"


@pytest.fixture(scope="module")
def page_file(built):
    return built.folder / f"results/{SLIDE}/report.html"


@pytest.fixture
def page(chromium, page_file):
    with opened(chromium, page_file) as page:
        wait_for(page, "performance.getEntriesByName('viewer-drawn').length > 0")
        yield page


def at_rest(page, clip):
    """Return what a part of the window shows as soon as all tiles are there and nothing changes any more."""
    wait_for(page, f"[...{VIEWER}.he.known.items.values()].every(one => one.complete)")
    earlier = page.screenshot(clip=clip)
    for _ in range(100):
        page.wait_for_timeout(250)
        later = page.screenshot(clip=clip)
        if later == earlier:
            return Image.open(io.BytesIO(later)).convert("RGB")
        earlier = later
    raise AssertionError("expected a picture that comes to rest")


def colours(page):
    """Return how many colours the middle of the picture has: a blank one has few."""
    page.locator("#viewer canvas").evaluate("canvas => canvas.scrollIntoView({ block: 'start' })")
    box = page.locator("#viewer canvas").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    clip = {"x": middle[0] - 100, "y": middle[1] - 100, "width": 200, "height": 200}
    pixels = np.asarray(at_rest(page, clip))
    return len(np.unique(pixels.reshape(-1, 3), axis=0))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(chromium, page_file, size, scheme):
    with opened(chromium, page_file, size, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]


def test_the_viewer_shows_the_slide_and_the_outlines_of_all_nuclei(page, built):
    page.locator("#viewer canvas").scroll_into_view_if_needed()
    assert colours(page) > 300
    nuclei = pd.read_parquet(built.folder / f"results/{SLIDE}/nuclei.parquet", columns=["x_um"])
    assert page.evaluate(f"{VIEWER}.nuclei.overview.n") == len(nuclei)
    assert f"{count(len(nuclei))} labelled nuclei" in page.inner_text("#viewer")


def test_keys_move_and_zoom_and_name_the_nucleus_in_the_middle(page, built):
    labels = pd.read_parquet(built.folder / LABELS).set_index("cell_id")
    canvas = page.locator("#viewer canvas")
    canvas.focus()
    before = page.evaluate(f"{VIEWER}.view.scale")
    for key in "++++":
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{VIEWER}.view.scale") > 4 * before
    wait_for(page, f"[...{VIEWER}.nuclei.blocks.items.values()].some(one => one)")
    place = page.evaluate(
        "(() => { const block = [...slideViewer.nuclei.blocks.items.values()].find(one => one);"
        f" {VIEWER}.showPlace(block.x[0], block.y[0]); return block.ids[0]; }})()"
    )
    canvas.focus()
    page.keyboard.press("Enter")
    said = page.inner_text("[data-viewer=picked] p")
    assert f"Cell {place}: {labels.loc[place, 'final_label']}" in said
    wait_for(
        page, "document.getElementById('viewer-status').textContent.includes('nuclei in view')"
    )
    page.keyboard.press("Escape")
    assert page.locator("[data-viewer=picked]").is_hidden()


def test_a_class_that_is_switched_off_is_not_drawn(page):
    page.locator("#viewer canvas").scroll_into_view_if_needed()
    shown = colours(page)
    page.click("[data-viewer=none]")
    assert page.locator("#viewer fieldset input:checked").count() == 0
    without = colours(page)
    page.click("[data-viewer=all]")
    assert abs(colours(page) - shown) < 0.2 * shown
    assert without != shown


def test_the_magnifier_shows_dapi(page):
    page.locator("#viewer canvas").scroll_into_view_if_needed()
    page.click("[data-viewer=lens]")
    assert page.get_attribute("[data-viewer=lens]", "aria-pressed") == "true"
    box = page.locator("#viewer canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for(page, "[...slideViewer.dapi.known.items.values()].some(one => one.complete)")


def test_a_cluster_is_shown_alone(page):
    page.evaluate(f"{VIEWER}.showCluster('2')")
    assert "Only cluster 2" in page.inner_text("[data-viewer=only]")
    assert page.evaluate(f"{VIEWER}.facts.nuclei.cluster[{VIEWER}.style.cluster]") == "2"
    page.click("[data-viewer=show-all]")
    assert page.evaluate(f"{VIEWER}.style.cluster") is None


def test_a_patch_of_the_gallery_is_found_on_the_slide(page, built):
    button = page.locator("[data-square]").first
    button.click()
    left, top, side = map(float, button.get_attribute("data-square").split())
    seen = page.evaluate(f"[{VIEWER}.view.x, {VIEWER}.view.y]")
    assert seen == pytest.approx([left + side / 2, top + side / 2])
    grid = pd.read_parquet(built.folder / f"results/{SLIDE}/patches_40x.parquet")
    assert ((grid.x_he_px == left) & (grid.y_he_px == top) & (grid.side_he_px == side)).any()


def decided(page, table):
    """Decide on a cluster and on a region, as a pathologist would, and download the table."""
    page.select_option("#decide select[name=cluster]", index=1)
    key = page.input_value("#decide select[name=cluster]")
    page.fill("#decide input[name=label]", "Mast")
    page.fill("#decide input[name=who]", "A. Pathologist")
    page.fill("#decide input[name=why]", '"granules", KIT')
    page.click("#decide button[type=submit]")
    page.click("[data-review=draw]")
    at_rest(page, page.locator("#viewer canvas").bounding_box())
    box = page.locator("#viewer canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((120, 0), (120, 120), (0, 120)):
        page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()
    page.fill("#decide input[name=label]", "Plasm")
    page.fill("#decide input[name=why]", "a nest")
    page.click("#decide button[type=submit]")
    assert "no class and no fine label" in page.inner_text("[data-review=problem]")
    page.fill("#decide input[name=label]", "Plasma")
    page.select_option("#decide select[name=only]", "Epithelial")
    page.click("#decide button[type=submit]")
    with page.expect_download() as download:
        page.click("[data-review=download]")
    table.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(download.value.path(), table)
    return key


def test_decisions_made_in_the_report_come_out_in_the_labels(page, copy):  # noqa: F811
    before = pd.read_parquet(copy.folder / LABELS)
    key = decided(page, copy.folder / f"config/curation/{SLIDE}.tsv")
    plan = planned(copy.snakemake("--dry-run", LABELS))
    assert plan == {("refine", SLIDE)}
    done = copy.snakemake(LABELS)
    assert done.returncode == 0, done.stdout + done.stderr
    after = pd.read_parquet(copy.folder / LABELS)
    cluster = (before["cluster"] == key.removeprefix("cluster:").partition("@")[0]).to_numpy()
    nest = (after["label2"] == "Plasma") & (after["decided_by"] == "curation")
    assert (after["label2"][cluster & ~nest] == "Mast").all()
    assert nest.sum() > 20
    kept = pd.read_parquet(copy.folder / f"results/{SLIDE}/overrides.parquet")
    assert set(kept["why"]) == {'"granules", KIT', "a nest"}
    assert set(kept["who"]) == {"A. Pathologist"}


def test_decisions_are_still_there_when_the_page_is_opened_again_and_can_be_taken_back(page):
    page.select_option("#decide select[name=cluster]", index=1)
    for name, text in {"label": "Mast", "who": "A. P.", "why": "granules"}.items():
        page.fill(f"#decide input[name={name}]", text)
    page.click("#decide button[type=submit]")
    page.reload()
    assert page.locator("[data-review=table] tbody tr").count() == 1
    page.click("[data-review=table] button")
    assert page.locator("[data-review=table] tbody tr").count() == 0
    assert page.locator("[data-review=download]").is_disabled()


def test_large_slides_keep_their_tiles_beside_the_page(chromium, tmp_path):
    built = three_cells.build(tmp_path / "artefacts")
    files = built | make_viewer(built, tmp_path)
    make_report(files, tmp_path / "report.html", settings=ReportSettings(embedded_mb=0))
    with opened(chromium, tmp_path / "report.html") as page:
        wait_for(page, f"{VIEWER}.nuclei.overview !== null")
        assert page.evaluate(f"{VIEWER}.nuclei.overview.n") == len(three_cells.OWNERS)
        page.locator("#viewer canvas").scroll_into_view_if_needed()
        assert colours(page) > 100
        wait_for(page, f"[...{VIEWER}.nuclei.blocks.items.values()].some(one => one)")


def test_a_page_without_its_folders_says_so(chromium, tmp_path):
    built = three_cells.build(tmp_path / "artefacts")
    files = built | make_viewer(built, tmp_path)
    make_report(files, tmp_path / "report.html", settings=ReportSettings(embedded_mb=0))
    alone = tmp_path / "mailed" / "report.html"
    alone.parent.mkdir()
    (tmp_path / "report.html").rename(alone)
    page = chromium.new_page()
    page.goto(alone.as_uri())
    wait_for(page, "!document.querySelector('[data-viewer=lost]').hidden")
    assert "keep it beside this page" in page.inner_text("[data-viewer=lost]")
    page.close()
