"""A page from disk in headless Chromium, without a GPU."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright


@contextmanager
def opened(page_file: Path, width_px: int, height_px: int) -> Iterator[Any]:
    """Open a page in a window of a size."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width_px, "height": height_px})
        page.goto(page_file.resolve().as_uri())
        yield page
        browser.close()


def wait_until(page: Any, expression: str) -> None:
    """Wait until an expression is true in a page; the page's own policy forbids what playwright has for it."""
    while not page.evaluate(expression):
        page.wait_for_timeout(20)
