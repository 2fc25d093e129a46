"""The pages of `serve` in a real browser: no errors, accessible, also without scripts and in print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from migrate.archive.database import Archive
from migrate.archive.id_map import Side
from migrate.archive.journal import Journal
from migrate.serve.addresses import PageLinks
from tests.archive.filling import TYPE, URL, filled
from tests.pages.conftest import SCREENSHOTS
from tests.pages.measuring import BACKGROUND, CONTRAST, FOCUSED, OVERFLOW
from tests.pages.serving import Visitor, served_estate, visiting
from tests.serve.client import KEY, Client
from tests.serve.estates import ODD_IDS, every_estate, hostile_estate
from tests.serve.test_pages import AFTER, NUMBERS

pytestmark = pytest.mark.slow

CLASSIC = PageLinks(NUMBERS["foundry-classic"])
OPENAI = PageLinks(NUMBERS["openai-v2"])
THREAD = "thread_mKahZtQ4ZVonm7YGx1nPVNrR"
PAGES = {
    "snapshots": "/snapshots/",
    "overview": PageLinks(AFTER).overview(),
    "threads": CLASSIC.threads(),
    "thread": CLASSIC.thread(THREAD),
    "conversation": "",
    "assistants": CLASSIC.assistants(),
    "assistant": "",
    "files": OPENAI.files(),
    "file": OPENAI.file("file-Gd5zMN8NFjTc4Za3zeeYYC"),
    "vector-stores": CLASSIC.vector_stores(),
    "vector-store": CLASSIC.vector_store("vs_4gG6nB1sx2pEZbBiiNYnnSBY"),
    "search": CLASSIC.search("deliver* plant*"),
    "search-text": CLASSIC.search("deliver", how="text"),
    "search-nothing": CLASSIC.search("rol:user"),
    "cited": CLASSIC.file(
        "assistant-MRuvwnVL1TAlseYxzJwTZD", quote="Deliveries go out on Tuesday and Friday."
    ),
    "compare": f"/compare?right={AFTER}",
    "comparison": f"/compare?left=1&right={AFTER}",
    "comparison-list": f"/compare?left=1&right={AFTER}&list=1",
    "jump": CLASSIC.jump("plant desk"),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path = tmp_path_factory.mktemp("served") / "estate.db"
    with served_estate(path, every_estate) as client:
        for _ in range(100):  # until the comparison has ended
            if "refresh" not in client.page(PAGES["comparison"]):
                break
        yield client


@pytest.fixture(scope="module")
def visitors(browser: Browser, client: Client) -> Iterator[tuple[Visitor, Visitor]]:
    """A wide window in light colours, and a narrow one in dark colours."""
    with ExitStack() as stack:
        wide = stack.enter_context(visiting(browser, client, 1280, color_scheme="light"))
        narrow = stack.enter_context(visiting(browser, client, 400, color_scheme="dark"))
        yield wide, narrow


@pytest.fixture
def wide(visitors: tuple[Visitor, Visitor]) -> Visitor:
    return visitors[0]


def address(client: Client, name: str) -> str:
    """The address of a page; of some the first one of a table."""
    if name == "conversation":
        links = PageLinks(NUMBERS["foundry"])
        return links.thread("conv_2b8553d0054cbfba00w5wEVaNZGyv1LddycIoFIeMiXrxqRAix")
    if name == "assistant":
        links = PageLinks(AFTER)
        return links.assistant(first_id(client, "/snapshots/1/assistants", "assistants"))
    return PAGES[name]


def first_id(client: Client, table: str, kind: str) -> str:
    """The id of the last object of a table, which is the first one that was created."""
    page = client.page(table)
    return page.rpartition(f"/{kind}/")[2].partition('"')[0]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_fits_and_has_no_serious_fault(
    client: Client, visitors: tuple[Visitor, Visitor], name: str
) -> None:
    for visitor, look in zip(visitors, ("1280-light", "400-dark"), strict=True):
        page = visitor.go(address(client, name))
        assert visitor.all(OVERFLOW) == {"over": 0, "wide": []}, look
        assert visitor.faults() == [], look
        height = visitor.all("document.documentElement.scrollHeight")
        page.screenshot(path=SCREENSHOTS / f"serve-{name}-{look}.png", full_page=height < 4_000)
        assert visitor.all(CONTRAST)["bad"] == [], look  # last: it opens what is folded
        visitor.quiet()


def test_reading_needs_no_script(browser: Browser, client: Client) -> None:
    with visiting(browser, client, java_script_enabled=False) as visitor:
        for name in PAGES:
            page = visitor.go(address(client, name))
            assert len(page.locator("main").inner_text()) > 60, name
            assert page.locator("button:visible:not(form button)").count() == 0, (
                f"{name}: a button does nothing"
            )
        page = visitor.go(PAGES["comparison"])
        page.get_by_text("As a plain list").click()
        assert page.locator("article.finding").count() == 2
        page = visitor.go(CLASSIC.thread(THREAD))
        page.locator("details.run summary").first.click()
        assert "Called" in page.locator("details.run").first.inner_text()
        page.fill("#jump", "plant-register")
        page.press("#jump", "Enter")
        assert page.locator("h1").inner_text() == "plant-register"
        visitor.quiet()


def test_signing_in_and_a_wrong_key(browser: Browser, client: Client) -> None:
    with visiting(browser, client) as visitor:
        assert visitor.page.url == f"{visitor.origin}/"
        assert KEY not in visitor.all("document.documentElement.outerHTML + document.cookie + location")
        visitor.context.clear_cookies()
        page = visitor.page
        page.goto(f"{visitor.origin}{CLASSIC.assistants()}")
        assert page.locator("h1").inner_text() == "This page needs the key"
        assert visitor.faults() == []
        page.fill("#key", "wrong")
        page.press("#key", "Enter")
        expect(page.get_by_role("alert")).to_contain_text("This is not the key.")
        page.fill("#key", KEY)
        page.press("#key", "Enter")
        expect(page.locator("h1")).to_have_text("Assistants")
        assert page.url == f"{visitor.origin}{CLASSIC.assistants()}"


def test_the_keyboard_reaches_and_uses_everything(wide: Visitor) -> None:
    page = wide.go(CLASSIC.thread(THREAD))
    stops = []
    for _ in range(24):
        page.keyboard.press("Tab")
        stops.append(wide.all(FOCUSED))
    names = [stop["name"] for stop in stops]
    assert names[0] == "Skip to the content"
    assert all(stop["ring"] and stop["onscreen"] for stop in stops), stops
    assert {"Overview", "Compare", "Switch to dark colours"} <= set(names)
    page.keyboard.press("/")
    assert wide.all(FOCUSED)["id"] == "jump"
    page.keyboard.type("vs_4gG6")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Greenhouse handbook")
    page.locator(".chooser summary").press("Enter")
    assert page.locator(".menu").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".menu").is_visible()
    wide.quiet()


def test_keys_lead_from_message_to_message_and_from_row_to_row(wide: Visitor) -> None:
    page = wide.go(CLASSIC.thread(THREAD))
    focused = "document.activeElement.closest('.turn')?.id"
    turns = page.locator(".turn").evaluate_all("(all) => all.map((one) => one.id)")
    seen = []
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
        seen.append(wide.all(focused))
    assert seen == [turns[0], turns[1], turns[2], turns[1]]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**#{turns[1]}")
    page = wide.go(CLASSIC.assistants())
    page.keyboard.press("j")
    first = page.locator("tbody th a").first
    assert first.evaluate("(one) => one === document.activeElement")
    page.locator("#jump").focus()
    page.keyboard.press("j")
    assert page.locator("#jump").input_value() == "j"
    wide.quiet()


def test_the_address_of_a_run_unfolds_it(wide: Visitor) -> None:
    page = wide.go(CLASSIC.thread(THREAD))
    run = page.locator(".run .step-facts code").last.text_content() or ""
    page = wide.go(CLASSIC.run(THREAD, run))
    steps = page.locator(f"[id='r-{run}']")
    expect(steps).to_be_visible()
    expect(steps).to_be_in_viewport()
    assert page.locator("details.run[open]").count() == 1
    wide.quiet()


def test_a_finding_leads_to_its_object(wide: Visitor) -> None:
    page = wide.go(PAGES["comparison"])
    changed = page.locator(".item.v-changed").first
    name = changed.locator(".name").inner_text()
    changed.get_by_text("as it was in snapshot 1").click()
    assert page.url.startswith(f"{wide.origin}/snapshots/1/assistants/")
    assert page.locator("h1").inner_text() == name
    page.go_back()
    page.locator(".item.v-removed").get_by_text("Open in snapshot 1").click()
    assert page.url.startswith(f"{wide.origin}/snapshots/1/assistants/")
    page = wide.go(PAGES["comparison"])
    page.locator(".item.v-changed").get_by_text("Open in snapshot").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/snapshots/{AFTER}/assistants/*")
    wide.quiet()


def test_copying_and_a_permalink(browser: Browser, client: Client) -> None:
    with visiting(browser, client) as visitor:
        visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = visitor.go(CLASSIC.thread(THREAD))
        bubble = page.locator(".turn-assistant .bubble").first
        page.get_by_label("Copy this message").nth(1).click()
        assert visitor.all("navigator.clipboard.readText()") == bubble.inner_text()
        page.locator("details.run summary").first.click()
        page.locator(".code").first.hover()
        page.get_by_label("Copy this block").first.click()
        assert visitor.all("navigator.clipboard.readText()") == page.locator(".code pre").first.inner_text()
        permalink = page.locator(".permalink").nth(5)
        permalink.click()
        target = page.locator(f"[id='{page.url.partition('#')[2]}']")
        expect(target).to_be_in_viewport()
        visitor.quiet()


def test_colours_follow_the_reader_and_the_switch(browser: Browser, client: Client) -> None:
    with visiting(browser, client, color_scheme="dark") as visitor:
        page = visitor.go(CLASSIC.overview())
        assert max(visitor.all(BACKGROUND)) < 60
        page.locator("#theme").click()
        page = visitor.go(CLASSIC.assistants())
        assert min(visitor.all(BACKGROUND)) > 200
        visitor.quiet()


def test_a_thread_on_paper_has_the_messages_and_no_controls(wide: Visitor) -> None:
    page = wide.go(CLASSIC.thread(THREAD))
    page.emulate_media(media="print")
    for hidden in (".tabs", ".jump", "#theme", ".copy", "footer"):
        assert page.locator(f"{hidden}:visible").count() == 0, hidden
    assert page.locator(".bubble:visible").count() == 12
    file = SCREENSHOTS / "serve-thread.pdf"
    page.pdf(path=file, format="A4", margin={"top": "15mm", "bottom": "15mm"})
    assert file.read_bytes().startswith(b"%PDF")
    page.emulate_media(media="screen")


def test_every_image_is_there_before_a_thread_is_printed(wide: Visitor) -> None:
    """Also those that are folded in, or far below."""
    page = wide.go(PageLinks(NUMBERS["azure-v2"]).thread("thread_dpohoc3XDk6a79UEE81px8SF"))
    images = page.locator("main img")
    assert images.count() == 4
    widths = images.evaluate_all("(all) => all.map((one) => one.complete ? one.naturalWidth : 0)")
    assert min(widths) > 100


def test_the_policy_forbids_what_the_pages_do_not_do(browser: Browser, client: Client) -> None:
    with visiting(browser, client) as visitor:
        visitor.go(CLASSIC.overview())
        visitor.all("""() => {
          const script = document.createElement("script");
          script.textContent = "window.pwned = 1";
          document.body.append(script);
          const image = new Image();
          image.src = "https://evil.example/x.png";
          document.body.append(image);
          return fetch("/snapshots/").catch(() => 0);
        }""")
        assert visitor.all("window.pwned") is None
        assert len(visitor.said) >= 3
        assert all("Content Security Policy" in said for said in visitor.said)


def test_a_page_of_somebody_else_sees_nothing(browser: Browser, client: Client) -> None:
    with visiting(browser, client) as visitor:
        image = f"{visitor.origin}{OPENAI.file_content('file-Gd5zMN8NFjTc4Za3zeeYYC', inline=True)}"
        page = visitor.context.new_page()
        body = f"<iframe src='{visitor.origin}/snapshots/1/'></iframe><img src='{image}'>"
        page.route("http://evil.example/", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.goto("http://evil.example/", wait_until="load")
        assert page.locator("img").evaluate("(one) => one.naturalWidth") == 0
        frames = [frame.url for frame in page.frames[1:]]
        assert (
            all("chrome-error" in url or not url for url in frames)
            or "Threads" not in page.frames[1].content()
        )


# ----------------------------------------------------------------------------------------- no index


def test_without_an_index_pages_fit_and_have_no_serious_fault(browser: Browser, tmp_path: Path) -> None:
    with served_estate(tmp_path / "estate.db", filled) as client:
        for width, scheme in ((1280, "light"), (400, "dark")):
            with visiting(browser, client, width, color_scheme=scheme) as visitor:
                for name in ("threads", "search", "search?q=hello"):
                    page = visitor.go(f"/snapshots/1/{name}")
                    assert "assistants-migrate index" in page.locator("main").inner_text()
                    assert visitor.all(OVERFLOW) == {"over": 0, "wide": []}
                    assert visitor.faults() == []
                    file = SCREENSHOTS / f"serve-no-index-{name.partition('?')[0]}-{width}-{scheme}.png"
                    page.screenshot(path=file)
                assert page.locator("mark").all_inner_texts() == ["Hello"]
                visitor.quiet()


def test_what_became_of_a_thread_can_be_copied(browser: Browser, tmp_path: Path) -> None:
    def moved(path: Path) -> None:
        filled(path)
        with Archive.open(path, write=True) as archive:
            journal = Journal(archive, "digest", Side(TYPE, URL), Side("foundry", "https://new.example.com"))
            (entry,) = journal.record_intent([("create", "thread", "", "thread_1", "")])
            journal.record_done(entry, "conv_new", written="x")

    with served_estate(tmp_path / "estate.db", moved) as client, visiting(browser, client) as visitor:
        visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = visitor.go("/snapshots/1/threads/thread_1")
        for id_ in ("conv_new", "thread_1"):
            page.get_by_label(f"Copy {id_}").click()
            assert visitor.all("navigator.clipboard.readText()") == id_
        visitor.quiet()


# ------------------------------------------------------------------------------------------ hostile


@pytest.fixture(scope="module")
def hostile(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    path: Path = tmp_path_factory.mktemp("hostile") / "estate.db"
    with served_estate(path, hostile_estate) as client, visiting(browser, client, 400) as visitor:
        yield visitor


@pytest.mark.parametrize(
    "path",
    [
        "/snapshots/", PageLinks(2).overview(), PageLinks(2).threads(), PageLinks(2).thread(ODD_IDS[4]),
        PageLinks(2).assistants(), PageLinks(2).assistant("'\"<b>"), PageLinks(2).files(),
        PageLinks(2).file(".."), PageLinks(2).vector_stores(), PageLinks(2).vector_store(".."),
        PageLinks(2).jump("<"), "/compare?left=1&right=2", PageLinks(2).search("<script>"),
    ],
)  # fmt: skip
def test_hostile_text_is_text_and_does_not_scroll_sideways(hostile: Visitor, path: str) -> None:
    page = hostile.go(path)
    page.wait_for_function("() => !document.querySelector('meta[http-equiv=refresh]')")
    for details in page.locator("details").all()[:30]:
        details.evaluate("(one) => { one.open = true; }")
    assert hostile.all("window.pwned") is None
    assert page.locator("main iframe, main object, main svg script, [onerror], [onload]").count() == 0
    assert hostile.all(OVERFLOW) == {"over": 0, "wide": []}
    hostile.quiet()
