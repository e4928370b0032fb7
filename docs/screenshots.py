"""Take the pictures of the report that README and docs show, in headless Chromium.

From the root of the project: ``python -m docs.screenshots results``.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import browser
from PIL import Image

IMAGES = Path(__file__).parent / "images"
SLIDE = "toy_breast"
WRONG_CLUSTER = "22"
"""The one that the tutorial corrects."""
_DRAWN = "performance.getEntriesByName('viewer-drawn').length > 0"


@contextmanager
def opened(page_file: Path, width_px: int, height_px: int) -> Iterator[Any]:
    """Open a report in a window of a size, its viewer drawn."""
    with browser.opened(page_file, width_px, height_px) as page:
        browser.wait_until(page, _DRAWN)
        yield page


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
