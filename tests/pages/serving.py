"""Served archives in a real Chromium that records the errors and requests of every page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.serve.client import KEY, Client, served

# Accessibility faults that block a person with a disability, and those that hinder.
SERIOUS = ("critical", "serious")


@dataclass
class Visitor:
    """A browser window that has opened the pages."""

    client: Client
    context: BrowserContext
    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return self.client.server.url.rstrip("/")

    def go(self, path: str) -> Page:
        """Open a page."""
        answer = self.page.goto(f"{self.origin}{path}")
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        return self.page

    def all(self, script: str) -> Any:
        return self.page.evaluate(script)

    def faults(self) -> list[str]:
        """Serious faults for people who use a keyboard, a screen reader or large text."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {node['html'][:160]}"
            for one in found
            if one["impact"] in SERIOUS
            for node in one["nodes"][:3]
        ]

    def quiet(self) -> None:
        """Check that there were no errors, and no requests to other servers."""
        assert self.said == []
        assert {urlsplit(url).netloc for url in self.asked} <= {urlsplit(self.origin).netloc, ""}


@contextmanager
def visiting(browser: Browser, client: Client, width: int = 1280, **options: Any) -> Iterator[Visitor]:
    """A window of a given width that signs in with the key."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    visitor = Visitor(client, context, context.new_page())
    visitor.page.on("console", lambda message: visitor.said.append(message.text))
    visitor.page.on("pageerror", lambda error: visitor.said.append(str(error)))
    visitor.page.on("dialog", lambda dialog: visitor.said.append(dialog.message))
    visitor.page.on("request", lambda request: visitor.asked.append(request.url))
    try:
        visitor.page.goto(f"{visitor.origin}/?key={KEY}")
        yield visitor
    finally:
        context.close()


@contextmanager
def served_estate(path: Path, fill: Any) -> Iterator[Client]:
    """A served archive that a function fills."""
    fill(path)
    with served(path) as client:
        yield client
