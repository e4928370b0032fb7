"""What moves in the report of a slide, beside its viewer: UMAP, table of clusters, gallery; keyboard and paper."""

from itertools import pairwise

import pandas as pd
import pytest

from workflow.browser import opened, wait_for

pytestmark = pytest.mark.workflow

SLIDE = "toy_breast"
PICTURE = "document.querySelector('#umap canvas').toDataURL()"


@pytest.fixture(scope="module")
def folder(built):
    return built.folder / f"results/{SLIDE}"


@pytest.fixture
def page(chromium, folder):
    with opened(chromium, folder / "report.html", color_scheme="light") as page:
        wait_for(page, f"{PICTURE}.length > 10_000")
        yield page


@pytest.fixture(scope="module")
def evidence(folder):
    return pd.read_parquet(folder / "evidence.parquet")


def test_the_umap_has_the_groups_of_the_files_in_its_legend(page, folder, evidence):
    labels = pd.read_parquet(folder / "labels.parquet")
    clustered = labels.loc[labels["cluster"].notna(), "final_label"]
    assert page.locator(".umap-legend label").count() == clustered.nunique()
    page.select_option("#umap-colour", "clusters")
    assert page.locator(".umap-legend label").count() == len(evidence)
    page.select_option("#umap-colour", "confidence")
    assert page.locator(".umap-legend label").count() == 5


def test_a_group_that_is_switched_off_is_not_drawn_and_comes_back(page):
    page.evaluate(f"window.whole = {PICTURE}")
    page.locator(".umap-legend input").first.uncheck()
    page.mouse.move(0, 0)
    wait_for(page, f"{PICTURE} !== window.whole")
    page.click("#umap-all")
    page.mouse.move(0, 0)
    wait_for(page, f"{PICTURE} === window.whole")


def test_pointing_at_cells_tells_cluster_and_class(page):
    canvas = page.locator("#umap canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    tip = page.locator("#umap .tip")
    for step in range(1, 40):
        page.mouse.move(box["x"] + box["width"] * step / 40, box["y"] + box["height"] * step / 40)
        if tip.is_visible():
            break
    assert tip.is_visible()
    assert "Cluster" in tip.inner_text()
    assert "class" in tip.inner_text()


def test_arrow_keys_go_from_group_to_group_and_say_so(page):
    page.evaluate(f"window.whole = {PICTURE}")
    page.focus("#umap canvas")
    page.keyboard.press("ArrowRight")
    first = page.locator(".umap-legend label").first.inner_text().split()[0]
    assert first in page.inner_text("#umap-says")
    wait_for(page, f"{PICTURE} !== window.whole")
    page.keyboard.press("Escape")
    wait_for(page, f"{PICTURE} === window.whole")


def test_clusters_are_found_by_text_and_by_class(page, evidence):
    said = page.locator(".filter output")
    n, gene = len(evidence), evidence["top_genes"].iloc[0].split(",")[0]
    page.fill(".filter input", gene.lower())
    with_gene = int(said.inner_text().split()[0])
    assert 1 <= with_gene < n
    page.fill(".filter input", "")
    page.select_option(".filter select", evidence["final_label"].iloc[0])
    of_class = (evidence["final_label"] == evidence["final_label"].iloc[0]).sum()
    assert said.inner_text() == f"{of_class} of {n} clusters shown"
    assert page.locator("#evidence tbody tr:visible").count() == of_class


def test_clusters_are_sorted_by_what_the_head_names(page, evidence):
    head = page.locator("#evidence thead th", has_text="Cells")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    smallest = page.locator("#evidence tbody td[data-label=Cells]").first
    assert int(smallest.get_attribute("data-value")) == evidence["n_cells"].min()


def test_a_cluster_is_opened_on_the_slide_and_in_the_review(page, evidence):
    row = page.locator("#evidence tbody tr").first
    row.locator("[data-act=show]").click()
    assert f"cluster {evidence['cluster'].iloc[0]}" in page.inner_text("#viewer").lower()
    row.locator("[data-act=relabel]").click()
    assert page.input_value("#decide select[name=cluster]") == evidence["cluster_key"].iloc[0]


def test_a_tap_shows_a_patch_without_outlines_and_another_one_with_them(page):
    patch = page.locator(".peek").first
    for pressed, opacity in (("true", "1"), ("false", "0")):
        patch.click()
        page.mouse.move(0, 0)
        assert patch.get_attribute("aria-pressed") == pressed
        assert patch.locator(".plain").evaluate("one => getComputedStyle(one).opacity") == opacity


def test_headings_are_in_order_and_whatever_is_operated_has_a_name(page):
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    nameless = """[...document.querySelectorAll('button, input, select')].filter(one => !(one.textContent.trim()
        || one.getAttribute('aria-label') || one.labels?.length)).length"""
    assert page.evaluate(nameless) == 0


def test_the_first_tab_skips_to_the_verdicts(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"


def test_tables_that_scroll_can_be_reached_by_keyboard(chromium, folder):
    with opened(chromium, folder / "report.html", "phone") as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        scrolls = """[...document.querySelectorAll('.scroll')].filter(one =>
            one.scrollWidth > one.clientWidth + 1)"""
        assert page.evaluate(f"{scrolls}.length") > 0
        wait_for(page, f"{scrolls}.every(one => one.tabIndex === 0)")


def test_on_paper_what_is_closed_is_open(page):
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
