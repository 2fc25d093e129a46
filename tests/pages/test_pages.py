"""The HTML report in a real browser: no errors, no requests, complete content, working controls."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.pages.conftest import SCREENSHOTS, Open, Opened
from tests.pages.measuring import BACKGROUND, CONTRAST, FOCUSED, OVERFLOW
from tests.reports.hostile import HOSTILE, hostile, with_names
from tests.reports.sample_reports import AFTER, PICTURE, equal, many, reports

pytestmark = pytest.mark.slow

NAMES = ("diff", "assess", "plan", "verify")
COMMANDS = reports()
EVERY = {**COMMANDS, "nothing": equal(), "hostile": hostile(), "many": many(300)}


def shown(opened: Opened) -> list[str]:
    return [text.strip() for text in opened.page.locator(".item .name").all_text_contents()]


def count(opened: Opened) -> str:
    return opened.page.locator("#count").inner_text()


# ------------------------------------------------------------------------------------------- opening


@pytest.mark.parametrize("name", EVERY)
def test_it_opens_without_a_word_or_a_request(opened: Open, name: str) -> None:
    page = opened(EVERY[name]).page  # the fixture looks at the console and at requests
    assert page.locator("h1").count() == 1
    assert page.locator("#app").is_visible()
    policy = page.locator("meta[http-equiv]").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_policy_forbids_what_the_page_does_not_do_itself(opened: Open) -> None:
    found = opened(COMMANDS["diff"])
    failed: list[str | None] = []
    found.page.on("requestfailed", lambda request: failed.append(request.failure))
    found.all("""() => {
      const script = document.createElement("script");
      script.textContent = "window.pwned = 1";
      document.body.append(script);
      const image = new Image();
      image.src = "https://evil.example/x.png";
      document.body.append(image);
      return fetch("https://evil.example/").catch(() => 0);
    }""")
    assert found.all("() => window.pwned") is None
    assert len(found.said) >= 3
    assert all("Content Security Policy" in said for said in found.said)
    assert failed == ["csp"]
    found.said.clear()
    found.asked[1:] = []


@pytest.mark.parametrize("name", NAMES)
def test_without_script_the_numbers_and_the_picture_are_there(opened: Open, name: str) -> None:
    page = opened(COMMANDS[name], java_script_enabled=False).page
    assert page.locator(".tile").count() == len(COMMANDS[name].summary)
    assert page.locator(".box").count() == len(PICTURE.nodes)
    assert page.locator("noscript").count() == 1


# ------------------------------------------------------------------------------- what it shows


def test_words_that_differ_are_marked_and_the_rest_unfolds(opened: Open) -> None:
    page = opened(COMMANDS["diff"]).page
    text = page.locator(".text").first
    assert text.locator("del").all_text_contents() == ["one sentence"]
    assert text.locator("ins").all_text_contents() == ["at most two short sentences"]
    assert "In bed 3" not in text.inner_text()
    text.locator("button.fold").click()
    assert "In bed 3" in text.inner_text()
    assert (
        page.evaluate(
            "() => { const copy = document.querySelector('.text').cloneNode(true);"
            " copy.querySelectorAll('del').forEach((one) => one.remove()); return copy.textContent; }"
        )
        == AFTER
    )


def test_the_gravest_losses_come_first_each_with_what_to_do(opened: Open) -> None:
    page = opened(COMMANDS["assess"]).page
    heads = [text.split()[0] for text in page.locator(".group").all_text_contents()]
    assert heads == ["Blocked", "Lost", "Adapted"]
    assert page.locator(".panel:not(#endings) .remedies li").count() == 3
    assert page.locator("#endings li").count() == 3
    assert "deploy it, or name another" in page.locator(".item .remedy").first.inner_text()


def test_since_when_and_what_was_ignored_is_shown(opened: Open) -> None:
    page = opened(COMMANDS["diff"]).page
    assert page.locator(".days tbody tr").all_inner_texts() == ["2026-11-18\t\n2", "2026-11-19\t\n1"]
    assert "since 2026-11-18" in page.locator(".item").first.inner_text()
    assert "assistant * $.metadata.deployed_at" in page.locator("#around").inner_text()
    assert "expired on 2026-10-01" in page.locator("#around").inner_text()
    assert "this service lists no threads" in page.locator("#around").inner_text()


def test_missing_content_is_shown_only_as_missing(opened: Open) -> None:
    missing = opened(COMMANDS["verify"]).page.locator(".item.v-missing")
    assert missing.count() == 1
    assert missing.locator("details").count() == 0


def test_the_picture_has_every_box_and_the_same_in_words(opened: Open) -> None:
    page = opened(COMMANDS["diff"]).page
    assert page.locator(".picture svg[role=img]").get_attribute("aria-label")
    assert page.locator(".box").count() == len(PICTURE.nodes)
    assert page.locator(".curves path").count() == len(PICTURE.edges)
    assert page.locator(".box .tag").all_text_contents().count("expired") == 1
    listed = page.locator(".words li b").all_text_contents()
    assert sorted(listed) == sorted(n.name or "42 threads" for n in PICTURE.nodes)
    orphan = page.locator(".words li", has_text="price-list-2025 (1).pdf").text_content() or ""
    assert "duplicate" in orphan
    assert "orphan" in orphan
    assert "12 more files" in page.locator("figcaption").inner_text()


def test_a_box_under_the_pointer_shows_what_it_is_tied_to(opened: Open) -> None:
    page = opened(COMMANDS["diff"]).page
    page.locator(".box", has_text="Visitor uploads").hover()
    near = page.locator(".box.near title").all_text_contents()
    assert sorted(near) == ["42 threads", "Plant Desk", "Visitor uploads (expired)", "visitor-guide.txt"]
    assert page.locator("path.near").count() == 3
    page.locator("h1").hover()
    assert page.locator(".tracing").count() == 0


def test_two_pictures_are_one_below_the_other(opened: Open) -> None:
    found = opened(reports((("left", PICTURE), ("right", PICTURE)))["diff"])
    assert found.page.locator("figcaption b").all_text_contents() == ["left", "right"]


# ---------------------------------------------------------------------------- filters and addresses


def test_filters_narrow_the_list(opened: Open) -> None:
    found = opened(COMMANDS["diff"])
    assert count(found) == "4 entries"
    found.page.locator("#kinds button", has_text="file").click()
    assert shown(found) == ["visitor-guide.txt", "visitor-guide-v2.txt"]
    found.page.locator("#verdicts button", has_text="added").click()
    assert shown(found) == ["visitor-guide-v2.txt"]
    assert count(found) == "1 entry of 4"
    found.page.locator("#verdicts button", has_text="added").click()
    assert len(shown(found)) == 2
    found.page.locator("#reset").click()
    assert count(found) == "4 entries"
    assert found.page.locator("[aria-pressed=true]").count() == 0


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("HANDBOOKS", ["Handbooks"]),
        ("office-gardener", ["Gardener"]),
        ("temperature", ["Gardener"]),
        ("short sentences", ["Gardener"]),
        ("guide v2", ["visitor-guide-v2.txt"]),
        ("(.*", []),
    ],
)
def test_search_finds_names_ids_fields_and_texts(opened: Open, typed: str, names: list[str]) -> None:
    found = opened(COMMANDS["diff"])
    found.page.fill("#search", typed)
    found.page.wait_for_function("() => document.querySelector('#count').textContent !== '4 entries'")
    assert shown(found) == names
    found.page.keyboard.press("Escape")
    assert count(found) == "4 entries"


def test_the_number_shown_is_announced(opened: Open) -> None:
    status = opened(COMMANDS["diff"]).page.get_by_role("status")
    assert status.count() == 1
    assert status.inner_text() == "4 entries"


@pytest.mark.parametrize("kind_and_id", ["assistant/asst_1", "file/file_8"])
def test_an_address_leads_to_its_finding(opened: Open, kind_and_id: str) -> None:
    found = opened(COMMANDS["diff"], hash=f"#{kind_and_id}")
    here = found.page.locator(".here")
    assert here.get_attribute("id") == kind_and_id
    assert found.all("() => document.querySelector('.here').contains(document.activeElement)")
    found.page.locator("#verdicts button", has_text="removed").click()
    assert here.count() == 0
    found.all("(to) => { location.hash = ''; location.hash = to.to; }", to=kind_and_id)
    here.wait_for()
    assert count(found) == "4 entries"


# -------------------------------------------------------------------------------------- hostile text


@pytest.mark.parametrize("width", [400, 1280])
def test_hostile_text_is_text(opened: Open, width: int) -> None:
    found = opened(hostile(), width)
    page = found.page
    page.locator("#open").click()
    assert found.all("() => window.pwned") is None
    assert page.locator("img, iframe, object, main script, main style, [onerror], [onload]").count() == 0
    links = page.locator("a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    assert all(link.startswith("#") for link in links)
    text = page.locator("main").text_content() or ""
    for one in HOSTILE:
        first = one.split("\n")[0]
        if first.isprintable():
            assert first in text
    assert "\\x1b[31mred" in text
    assert "\\u202e" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\u2028\ud800]", text)
    assert shown(found)


# ----------------------------------------------------------------------------------------- very many


def test_ten_thousand_findings_answer(opened: Open) -> None:
    found = opened(many(10_000))
    page = found.page
    assert count(found) == "10,000 entries, the first 100 shown"
    assert page.locator(".item").count() == 100
    assert found.all("() => document.querySelectorAll('*').length") < 5_000
    page.locator("#more").click()
    assert page.locator(".item").count() == 200
    assert found.all(FOCUSED)["tag"] == "summary"
    page.fill("#search", "right_9998")
    page.wait_for_function("() => document.querySelector('#count').textContent === '1 entry of 10,000'")
    assert shown(found) == ["Object 9998 of bed 7"]
    page.fill("#search", "weekly")
    page.wait_for_function("() => document.querySelectorAll('.item').length === 100")
    page.locator("#kinds button", has_text="thread").click()
    assert count(found) == "2,000 entries of 10,000, the first 100 shown"


def test_an_address_far_down_is_reached(opened: Open) -> None:
    found = opened(many(2_000), hash="#message/left_1994")
    found.page.locator(".here").wait_for()
    assert found.page.locator(".here .name").inner_text() == "Object 1994 of bed 54"
    assert found.all(FOCUSED)["onscreen"]


# -------------------------------------------------------------------------------------- keyboard


def test_everything_is_reached_and_used_by_keyboard(opened: Open) -> None:
    found = opened(COMMANDS["diff"], reduced_motion="reduce")
    keys = found.page.keyboard
    stops = []
    for _ in range(60):
        keys.press("Tab")
        stops.append(found.all(FOCUSED))
        if stops[-1]["name"].startswith("The same as a list"):
            break
    names = [stop["name"] for stop in stops]
    assert names[0] == "Skip to the findings"
    assert all(stop["ring"] for stop in stops), [s for s in stops if not s["ring"]]
    assert all(stop["onscreen"] for stop in stops)
    for wanted in ("Summary", "Switch to dark colours", "Collapse all", "Link to Gardener"):
        assert wanted in names
    assert any(stop["id"] == "search" for stop in stops)
    assert any(name.startswith("changed") for name in names)
    assert any("that are the same" in name for name in names)
    assert names[-1].startswith("The same as a list")


def test_keys_search_step_and_open(opened: Open) -> None:
    found = opened(COMMANDS["diff"])
    keys = found.page.keyboard
    keys.press("/")
    assert found.all(FOCUSED)["id"] == "search"
    keys.type("kjj")
    assert found.page.input_value("#search") == "kjj"
    keys.press("Escape")
    found.page.locator("h1").click()
    keys.press("j")
    first = found.page.locator(".item details").first
    assert first.get_attribute("open") is not None
    keys.press("Enter")
    assert first.get_attribute("open") is None
    keys.press("j")
    assert "Handbooks" in found.all(FOCUSED)["name"]
    keys.press("k")
    assert "Gardener" in found.all(FOCUSED)["name"]


def test_landmarks_headings_and_names(opened: Open) -> None:
    page = opened(COMMANDS["plan"]).page
    for role in ("banner", "navigation", "main", "contentinfo", "search"):
        assert page.get_by_role(role).count() == 1, role  # type: ignore[arg-type]
    assert page.get_by_label("Search", exact=True).get_attribute("id") == "search"
    assert page.locator("html").get_attribute("lang") == "en"
    levels = [
        int(tag[1]) for tag in page.locator("h1,h2,h3,h4").evaluate_all("(a) => a.map((h) => h.tagName)")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    unnamed = "(all) => all.filter((b) => !(b.getAttribute('aria-label') || b.textContent).trim()).length"
    assert page.locator("button:visible, a:visible").evaluate_all(unnamed) == 0


# ------------------------------------------------------------------------------------ looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*NAMES, "nothing", "hostile"])
def test_every_text_can_be_read(opened: Open, name: str, scheme: str) -> None:
    found = opened(EVERY[name], scheme=scheme).all(CONTRAST)
    assert found["seen"] > 20
    assert found["bad"] == []


def test_dark_and_light_follow_the_reader_and_the_switch(opened: Open) -> None:
    light, dark = (
        opened(COMMANDS["diff"], scheme=scheme, reduced_motion="reduce") for scheme in ("light", "dark")
    )
    assert min(light.all(BACKGROUND)) > 200
    assert max(dark.all(BACKGROUND)) < 60
    dark.page.locator("#theme").click()
    assert dark.all(BACKGROUND) == light.all(BACKGROUND)
    assert dark.all(CONTRAST)["bad"] == []
    dark.page.locator("#theme").click()
    assert max(dark.all(BACKGROUND)) < 60


@pytest.mark.exhaustive(7)
@pytest.mark.parametrize("width", [320, 400, 768])
@pytest.mark.parametrize("name", EVERY)
def test_nothing_scrolls_sideways(opened: Open, name: str, width: int) -> None:
    found = opened(EVERY[name], width)
    if found.page.locator("#open").inner_text() == "Expand all" and name != "many":
        found.page.locator("#open").click()
    assert found.all(OVERFLOW) == {"over": 0, "wide": []}


def test_a_name_without_a_blank_breaks(opened: Open) -> None:
    assert opened(with_names(COMMANDS["diff"], "x" * 5_000), 400).all(OVERFLOW) == {"over": 0, "wide": []}


def test_the_picture_is_a_list_where_it_would_be_too_small(opened: Open) -> None:
    page = opened(COMMANDS["diff"], 400).page
    assert not page.locator(".picture svg").is_visible()
    assert page.locator(".words li b").first.is_visible()


def test_nothing_moves_for_those_who_asked_for_it(opened: Open) -> None:
    still, moving = (opened(COMMANDS["diff"], reduced_motion=how) for how in ("reduce", "no-preference"))
    script = """() => [...document.querySelectorAll('*')]
      .filter((one) => getComputedStyle(one).transitionDuration !== '0s').length"""
    assert still.all(script) == 0
    assert moving.all(script) > 0


def test_paper_gets_the_findings_and_no_controls(opened: Open) -> None:
    found = opened(many(50))
    found.page.emulate_media(media="print")
    assert not found.page.locator("#filters").is_visible()
    assert not found.page.locator("#theme").is_visible()
    found.all("() => dispatchEvent(new Event('beforeprint'))")
    assert found.page.locator(".item .body").first.is_visible()


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", [*NAMES, "nothing"])
def test_a_picture_of_the_page_is_kept(opened: Open, name: str, width: int, scheme: str) -> None:
    page = opened(EVERY[name], width, scheme).page
    page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
    page.wait_for_timeout(100)
    file = SCREENSHOTS / f"{name}-{width}-{scheme}.png"
    page.screenshot(path=file, full_page=True)
    assert file.read_bytes().startswith(b"\x89PNG")
