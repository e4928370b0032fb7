"""Take the pictures of the report that README and docs show, in headless Chromium: ``python docs/screenshots.py results``."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
SLIDE = "toy_breast"
WRONG_CLUSTER = "22"
"""The one that the tutorial corrects."""
_DRAWN = "performance.getEntriesByName('viewer-drawn').length > 0"


@contextmanager
def opened(page_file: Path, width_px: int, height_px: int) -> Iterator[Any]:
    """Open a report in a window of a size, its viewer drawn."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width_px, "height": height_px})
        page.goto(page_file.resolve().as_uri())
        while not page.evaluate(_DRAWN):
            page.wait_for_timeout(50)
        yield page
        browser.close()


def near(page: Any) -> None:
    """Look at nuclei from near, with the magnifier on DAPI."""
    page.evaluate("slideViewer.showPlace(1250, 1500); scrollTo(0, 0)")
    page.click("[data-viewer=lens]")
    page.evaluate("slideViewer.pointer = [slideViewer.width * 0.72, slideViewer.height * 0.6]")
    page.evaluate("slideViewer.redraw(); scrollTo(0, 0)")
    page.wait_for_timeout(1500)


def take(results: Path) -> None:
    """Take all pictures."""
    page_file = results / SLIDE / "report.html"
    with opened(page_file, 1240, 1200) as page:
        near(page)
        save("report.jpg", page.screenshot())
    with opened(page_file, 1000, 900) as page:
        page.locator("th", has_text="Pure").locator("button").click()
        head = page.locator("h3", has_text="Evidence, cluster by cluster")
        head.evaluate("head => head.scrollIntoView({ block: 'start' })")
        page.wait_for_timeout(500)
        top = head.bounding_box()
        clip = {"x": top["x"] - 12, "y": top["y"] - 8, "width": 980, "height": 480}
        save("tutorial_evidence.jpg", page.screenshot(clip=clip))
        page.evaluate(f"slideViewer.showCluster('{WRONG_CLUSTER}')")
        page.wait_for_timeout(1500)
        save("tutorial_cluster.jpg", page.locator("#viewer .stage").screenshot())


def save(name: str, content: bytes) -> None:
    """Keep a picture as JPEG: tissue has too many colours for PNG."""
    with Image.open(io.BytesIO(content)) as picture:
        picture.convert("RGB").save(IMAGES / name, quality=82, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
