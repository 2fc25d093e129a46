"""Transcripts in a real browser, opened from a disk: no errors, complete, accessible, and harmless."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.reports.transcripts.html_site import HtmlPage, HtmlSite
from migrate.stages.transcripts.file_names import thread_stem
from migrate.stages.transcripts.run import single_page, write_transcripts
from tests.archive.bundled import bundled
from tests.archive.filling import Listing, reader, write
from tests.pages.conftest import SCREENSHOTS
from tests.pages.measuring import BACKGROUND, CONTRAST, OVERFLOW
from tests.reports.hostile import HOSTILE

pytestmark = pytest.mark.slow

CHART = "thread_dpohoc3XDk6a79UEE81px8SF"
SERIOUS = ("serious", "critical")
ANSWER = """## A table

| plant | pots |
|:--|--:|
| mint | 12 |

1. **First** `code`
2. Then \\(x_1\\)

```python
print("a line that is much too long for a narrow screen " * 3)
```

> quoted, see https://e.example/x
"""
PROGRAM = '<script>window.pwned=1;fetch("https://evil.example/")</script>'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=1"><script>window.pwned=1</script></svg>'
FILES = {
    "x.png": SVG,
    "page.html": PROGRAM.encode(),
    "vector.svg": SVG,
    "../../up.htm": PROGRAM.encode(),
    "noname": PROGRAM.encode(),
}


def _hostile() -> list[Listing]:
    """A thread with only hostile texts, and files that are programs."""
    names = [*HOSTILE, "javascript:alert(1)", "a" * 5_000, "[x](javascript:window.pwned=1)", PROGRAM, ANSWER]
    files = [{"id": f"../{n}", "filename": name} for n, name in enumerate(FILES)]
    messages: list[dict[str, Any]] = []
    for n, name in enumerate(names):
        note = {
            "type": "file_citation",
            "text": name[:3],
            "file_citation": {"file_id": "../0", "quote": name},
        }
        page = {"type": "url_citation", "url_citation": {"url": name, "title": name}}
        content = [
            {"type": "text", "text": {"value": name, "annotations": [note, page]}},
            {"type": "image_file", "image_file": {"file_id": f"../{n % len(FILES)}"}},
            {"type": "image_url", "image_url": {"url": name}},
            {"type": name, "x": name},
        ]
        attached = [{"file_id": f"../{k}", "tools": [{"type": name}]} for k in range(len(FILES))]
        messages.append(
            {"id": f"m/{n} {name[:40]}", "role": ["user", "assistant", name][n % 3], "created_at": n + 1,
             "content": content, "attachments": attached, "metadata": {name[:60]: name}}
        )  # fmt: skip
    call = {"type": "function", "function": {"name": PROGRAM, "arguments": PROGRAM, "output": PROGRAM}}
    step = {"id": PROGRAM, "run_id": "r", "created_at": 1, "step_details": {"tool_calls": [call]}}
    run = {
        "id": "r",
        "created_at": 1,
        "status": PROGRAM,
        "model": PROGRAM,
        "last_error": {"message": PROGRAM},
    }
    thread = {"id": "t", "metadata": {PROGRAM: PROGRAM}}
    return [
        ("file", "", files), ("thread", "", [thread]), ("message", "t", messages), ("run", "t", [run]),
        ("run_step", "t", [step]),
    ]  # fmt: skip


@dataclass
class Sites:
    """Folders of transcripts, and one self-contained page."""

    plain: Path
    hostile: Path
    alone: Path

    def thread(self, id_: str) -> Path:
        return self.plain / f"threads/{thread_stem(id_)}.html"

    def pages(self) -> list[Path]:
        return [self.alone, *self.hostile.rglob("*.html"), *list(self.plain.rglob("*.html"))[::3]]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    folder = tmp_path_factory.mktemp("sites")
    found = Sites(folder / "plain", folder / "hostile", folder / "alone.html")
    with Archive.open(folder / "a.db", write=True, create=True) as archive:
        snapshot = bundled(archive, "azure-v2")
        write_transcripts(snapshot, found.plain, HtmlSite())
        page = single_page(snapshot, CHART)
        assert page is not None
        found.alone.write_text("".join(HtmlPage().thread(page)))
    with Archive.open(folder / "h.db", write=True, create=True) as archive:
        writer = write(archive, _hostile())
        for n, content in enumerate(FILES.values()):
            link_file_to_blob(archive, writer.endpoint, f"../{n}", store_blob(archive, [content]), "download")
        write_transcripts(reader(archive), found.hostile, HtmlSite())
    return found


@dataclass
class Visited:
    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, sites: Sites) -> Iterator[Visit]:
    """Opens a file. At the end there must be no console message, and no request but files beside it."""
    contexts: dict[tuple[int, str], BrowserContext] = {}
    visited = []

    def open_(path: Path, width: int = 1200, scheme: Any = "light", hash: str = "") -> Page:
        if (width, scheme) not in contexts:
            size: Any = {"width": width, "height": 900}
            contexts[width, scheme] = browser.new_context(viewport=size, color_scheme=scheme)
        found = Visited(contexts[width, scheme].new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("dialog", lambda dialog: found.said.append(dialog.message))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(f"{path.as_uri()}{hash}")
        visited.append(found)
        return found.page

    yield open_
    roots = tuple(path.as_uri() for path in (sites.plain, sites.hostile, sites.alone))
    for found in visited:
        assert found.said == []
        assert not [url for url in found.asked if not url.startswith((*roots, "data:image/"))]
    for context in contexts.values():
        context.close()


def unfold(page: Page) -> None:
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")


# ------------------------------------------------------------------------------------------------- opening


def test_every_page_opens_from_a_disk_with_its_style(visit: Visit, sites: Sites) -> None:
    for path in sites.pages():
        page = visit(path)
        assert page.locator("h1").count() == 1
        assert page.locator("script").count() == 0
        assert min(page.evaluate(BACKGROUND)) > 200
        assert page.evaluate("() => getComputedStyle(document.body).margin") == "0px", path


def test_links_lead_from_the_list_to_a_thread_its_files_and_back(visit: Visit, sites: Sites) -> None:
    page = visit(sites.plain / "index.html")
    page.get_by_text("Please plot a sine wave").click()
    assert page.locator("h1").inner_text() == "Please plot a sine wave for me, two full periods."
    assert page.locator(".bubble img").count() == 2
    sizes = page.locator(".bubble img").evaluate_all("(all) => all.map((one) => one.naturalWidth)")
    assert min(sizes) > 100
    for link in page.locator("a.file-link").evaluate_all("(all) => all.map((one) => one.href)"):
        assert Path(link.removeprefix("file://")).is_file()
    page.get_by_text("All transcripts").click()
    assert page.locator(".threads li").count() == 14


def test_a_message_and_a_source_have_an_address(visit: Visit, sites: Sites) -> None:
    path = sites.thread("thread_lPhXO8faeF9pkBM4KLrZc4B6")
    page = visit(path, hash="#m-msg_Dwp366yJ6t8UsUIUpqDhn6pF")
    assert "returns.html" in page.locator(".turn:target").inner_text()
    page.locator("#m-msg_3zpaRfXA2VoELMUXDD1fkT8o .cite a").first.click()
    assert "ek-210-manual.md" in page.locator("li:target").inner_text()
    page.locator(".permalink").first.click()
    assert page.evaluate("() => location.hash").startswith("#m-msg_")
    assert page.locator(".turn:target").count() == 1


# ------------------------------------------------------------------------------------------------ hostile


def test_hostile_text_is_text_and_does_nothing(visit: Visit, sites: Sites) -> None:
    page = visit(sites.hostile / "threads/t.html")
    unfold(page)
    assert page.evaluate("() => window.pwned") is None
    assert page.locator("script, iframe, object, embed, form, svg, [style], [onerror], [onload]").count() == 0
    assert page.locator("img").count() == 0
    text = page.locator("main").text_content() or ""
    assert text.count(PROGRAM) > 8
    assert "\\u202e" in text
    for link in page.locator("main a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))"):
        assert link.startswith(("#m-", "../files/", "https://evil.example", "https://e.example")), link
    for anchor in page.locator(".permalink").evaluate_all("(all) => all.map((one) => one.hash.slice(1))"):
        assert page.evaluate("(id) => document.getElementById(id) !== null", anchor)


def test_no_file_of_the_site_runs_when_it_is_opened(browser: Browser, sites: Sites) -> None:
    copied = [path for path in (sites.hostile / "files").rglob("*") if path.is_file()]
    assert len(copied) >= len(set(FILES.values()))
    context = browser.new_context(accept_downloads=False)
    for path in copied:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        with contextlib.suppress(PlaywrightError):  # it is not shown, but downloaded
            page.goto(path.as_uri())
        assert page.evaluate("() => window.pwned") is None, path
        assert page.locator("script").count() == 0
        assert not [url for url in asked if not url.startswith("file:")]
        page.close()
    context.close()


@pytest.mark.parametrize("width", [320, 400, 1200])
def test_nothing_scrolls_sideways(visit: Visit, sites: Sites, width: int) -> None:
    for path in (sites.hostile / "threads/t.html", sites.hostile / "index.html", sites.thread(CHART)):
        page = visit(path, width)
        unfold(page)
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        found = page.evaluate(OVERFLOW)
        scrolled = [one for one in found["wide"] if not _is_inside_a_scroller(page, one)]
        assert scrolled == []


def _is_inside_a_scroller(page: Page, html: str) -> bool:
    """Whether an element is in code or a table that scrolls separately."""
    return bool(
        page.evaluate(
            """(html) => [...document.querySelectorAll("body *")].filter((one) =>
              one.outerHTML.slice(0, 80) === html).every((one) => one.closest("pre, .cells"))""",
            html,
        )
    )


# ------------------------------------------------------------------------------------------------- readers


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(visit: Visit, sites: Sites, scheme: str) -> None:
    for path in (sites.hostile / "threads/t.html", sites.plain / "index.html", sites.thread(CHART)):
        found = visit(path, scheme=scheme).evaluate(CONTRAST)
        assert found["seen"] > 20
        assert found["bad"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_fault(visit: Visit, sites: Sites, scheme: str) -> None:
    paths = [sites.plain / "index.html", sites.hostile / "threads/t.html"]
    if scheme == "light":
        chosen = ["thread_54O3qSwi5GrsBKWXnT0RhDxj", "thread_lPhXO8faeF9pkBM4KLrZc4B6", CHART]
        paths += map(sites.thread, chosen)
    for path in paths:
        page = visit(path, scheme=scheme)
        unfold(page)
        found = Axe().run(page, options={"preload": False}).response["violations"]
        serious = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in SERIOUS]
        assert serious == [], path


def test_each_message_is_an_article_with_a_name(visit: Visit, sites: Sites) -> None:
    page = visit(sites.thread(CHART))
    assert page.get_by_role("article").count() == 4
    assert page.get_by_role("article", name="Data Visualization").count() == 2
    assert page.get_by_role("heading", level=2).count() == 4
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1  # type: ignore[arg-type]


def test_steps_are_folded_and_open_with_the_keyboard(visit: Visit, sites: Sites) -> None:
    page = visit(sites.thread(CHART))
    assert not page.locator(".steps").first.is_visible()
    page.locator(".run summary").first.focus()
    page.keyboard.press("Enter")
    assert "Called code interpreter" in page.locator(".steps").first.inner_text()


def test_paper_gets_everything_that_is_folded(visit: Visit, sites: Sites) -> None:
    page = visit(sites.thread(CHART))
    page.emulate_media(media="print")
    assert page.locator(".steps").first.evaluate("(one) => one.getBoundingClientRect().height") > 50
    assert not page.locator(".top").is_visible()
    assert not page.locator(".permalink").first.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("name", ["thread", "list"])
def test_a_picture_of_the_page_is_kept(
    visit: Visit, sites: Sites, name: str, width: int, scheme: str
) -> None:
    page = visit(sites.thread(CHART) if name == "thread" else sites.plain / "index.html", width, scheme)
    file = SCREENSHOTS / f"transcript-{name}-{width}-{scheme}.png"
    page.screenshot(path=file, full_page=True)
    assert file.read_bytes().startswith(b"\x89PNG")
