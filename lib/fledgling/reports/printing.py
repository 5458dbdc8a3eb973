"""Pages as PDF, printed by a real browser where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fledgling.core.errors import RunError
from fledgling.core.files import write_atomically

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MARGIN = "15mm"


def find_browser() -> str:
    """The browser that prints. Raises ``RunError`` saying how to get one."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    raise RunError(
        f"printing a PDF needs a browser, and none of {', '.join(BROWSERS)} is here; install one"
        " (Debian: apt install chromium), or print report.html from your own"
    )


def print_pdf(pages: Sequence[Path]) -> list[Path]:
    """Print each page (report.html) to a PDF beside it, on A4 in light colours, without a network.
    Returns their paths.
    """
    # on a thread of its own: the driver refuses one whose event loop runs, as a notebook's does
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(_print, pages).result()


def _print(pages: Sequence[Path]) -> list[Path]:
    from playwright.sync_api import sync_playwright

    printed = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        context = browser.new_context(color_scheme="light", offline=True)
        for path in pages:
            page = context.new_page()
            page.goto(path.resolve().as_uri())
            target = path.with_suffix(".pdf")
            write_atomically(target, partial(_write_pdf, page))
            printed.append(target)
            page.close()
        browser.close()
    return printed


def _write_pdf(page: Page, path: Path) -> None:
    margins = dict.fromkeys(("top", "right", "bottom", "left"), _MARGIN)
    path.write_bytes(page.pdf(format="A4", print_background=True, margin=margins))
