"""A real Chromium that opens reports as files and records its errors and requests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from migrate.reports.formats.html import html_page
from migrate.reports.report import Report

ROOT = Path(__file__).parents[2]
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS") or ROOT / "build/screenshots")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@dataclass
class Opened:
    """A page, the messages of its console, and its requests."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def all(self, script: str, **arguments: Any) -> Any:
        return self.page.evaluate(script, arguments or None)


Open = Callable[..., Opened]


@pytest.fixture(scope="module")  # its event loop must be closed before other tests begin
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Without it these tests are skipped, but fail in CI."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        said = "no chromium: install Debian's package, or name a program in CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report from a file. At the end there must be no console message, and no request but the file
    itself."""
    contexts, pages = [], []

    def open_(
        report: Report, width: int = 1280, scheme: str = "light", hash: str = "", **more: Any
    ) -> Opened:
        file = tmp_path / f"report-{len(pages)}.html"
        file.write_text(html_page(report), encoding="utf-8")
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, **more)  # type: ignore[arg-type]
        contexts.append(context)
        found = Opened(context.new_page(), f"{file.as_uri()}{hash}")
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("dialog", lambda dialog: found.said.append(dialog.message))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(found.url)
        pages.append(found)
        return found

    yield open_
    for page in pages:
        assert page.said == []
        assert [url.partition("#")[0] for url in page.asked] == [page.url.partition("#")[0]]
    for context in contexts:
        context.close()
