"""Parses the HTML of a page: its links, and whether an archived text became markup."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

from tests.serve.client import Client

KNOWN_TAGS = frozenset(
    "html head meta title link script body a header div p b details summary ul ol li form label input kbd "
    "button nav main footer span code h1 h2 h3 h4 table thead tbody tr th td section small br time img bdi "
    "article sup dl dt dd pre del ins select option optgroup noscript svg rect hr em strong blockquote s "
    "fieldset legend figure figcaption q mark".split()
)
# What a page may load: from this server, or an image in the address itself.
OWN = re.compile(r"/(?!/)|data:image/(png|jpeg|gif|webp);base64,")
LOADING = {"src", "href", "action", "poster", "data", "formaction", "srcset", "background", "ping"}


class PageParser(HTMLParser):
    """Collects links, loaded files, and elements that no page of this program has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in KNOWN_TAGS:
            self.wrong.append(f"<{tag}>")
        self.wrong += [f"{name} of <{tag}>" for name in given if name.startswith("on") or name == "style"]
        for name, value in given.items():
            if name in LOADING and value is not None:
                (self.links if tag in ("a", "form") else self.loaded).append(value)
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.wrong.append("a script in the page")
        if "id" in given:
            self.ids.append(str(given["id"]))


def parsed(text: str) -> PageParser:
    """Parse a page and check that it has no markup of an archived text and no address of another server."""
    page = PageParser()
    page.feed(text)
    page.wrong += [f"loads {url[:80]}" for url in page.loaded if not OWN.match(url)]
    allowed = ("/", "#", "https://", "http://", "mailto:")
    page.wrong += [f"leads to {url}" for url in page.links if not url.startswith(allowed) or url[:2] == "//"]
    assert page.wrong == [], f"{page.wrong[:5]}\n{text[:500]}"
    return page


def crawl(client: Client, start: str, of_each: int = 12) -> Iterator[tuple[str, str]]:
    """Address and text of the pages that can be reached by links from one page. `of_each`: maximum number of
    pages of each type in each snapshot."""
    seen, open_ = {start}, [start]
    sorts: Counter[tuple[object, ...]] = Counter()
    while open_:
        address = open_.pop()
        answer = client.send(address)
        if answer.status == 303:
            answer = client.send(answer.headers["location"])
        is_elsewhere = answer.status == 404 and " has it</a>" in answer.text
        assert answer.status == 200 or is_elsewhere, f"{address}: {answer.status}\n{answer.text[:2000]}"
        if "attachment" in answer.headers.get("content-disposition", ""):
            continue
        yield address, answer.text
        page = parsed(answer.text)
        assert len(page.ids) == len(set(page.ids)), f"{address}: an id stands twice"
        for link in page.links:
            found = link.partition("#")[0]
            path, _, query = found.partition("?")
            sort = (*path.split("/")[:4], path.count("/"), *re.findall(r"(\w+)=", query))
            if found.startswith("/") and found not in seen and sorts[sort] < of_each:
                seen.add(found)
                sorts[sort] += 1
                open_.append(found)
