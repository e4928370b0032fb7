"""Pages in a real browser, opened from disk, that complain about everything they should not do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SIZES = {"phone": (390, 800), "desk": (1600, 1000)}
"""Width and height of the window, in px."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_LOCAL = ("file:", "data:", "blob:")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium; the test is skipped where there is none.

    Of a module, not of the session: as long as it lives, nothing else in the process can have an event loop.
    """
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(chromium: Any, page_file: Path, size: str = "desk", **context: Any) -> Iterator[Any]:
    """Open a page; at the end nothing may have gone wrong in it, and no request may have left the disk.

    Motion is reduced, so that a style is what it will be as soon as it is asked for.
    """
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    visit = chromium.new_context(viewport=viewport, reduced_motion="reduce", **context)
    page, wrong = visit.new_page(), []
    page.on("console", lambda said: wrong.append(said.text) if said.type != "log" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url[:100]}"))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(_LOCAL) else wrong.append(asked.url),
    )
    page.goto(page_file.resolve().as_uri())
    yield page
    visit.close()
    assert wrong == []


def wait_for(page: Any, expression: str, seconds: float = 30) -> None:
    """Wait until an expression is true in a page; the page's own policy forbids what playwright has for it."""
    for _ in range(int(seconds * 20)):
        if page.evaluate(f"Boolean({expression})"):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"expected {expression} within {seconds} s")
