"""Parses a page: what a reader would see of it."""

from __future__ import annotations

from html.parser import HTMLParser


class ParsedPage(HTMLParser):
    """The content of a page: texts, tooltips, tags, attributes and addresses. Raises an error if tags are not
    balanced."""

    VOID = frozenset({"br", "hr", "img", "meta", "link"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = self.hints = ""
        self.tags, self.hrefs, self.attributes = set[str](), set[str](), set[str]()
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src"):
                self.hrefs.add(value or "")
            if name in ("href", "src", "title", "value"):
                self.hints += f" {value} "

    def handle_endtag(self, tag: str) -> None:
        assert tag in self.VOID or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
