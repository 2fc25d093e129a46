"""Markdown for a pull request: its content, that no text becomes markup, and that it fits into a comment."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from migrate.reports.formats.markdown import MAX_COMMENT_CHARS, markdown_text, utf16_length
from migrate.reports.report import ItemDetail, Report, ReportItem
from migrate.reports.text_table import single_line
from tests.reports.hostile import HOSTILE, hostile, with_names
from tests.reports.sample_reports import many, reports

OURS = set(
    "p br b code details summary ul li del ins blockquote sub table thead tbody tr th td h3 h4".split()
)


class Seen(HTMLParser):
    """Parses the tags of a page, and the text outside and inside `code`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.code, self.text = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" in self.open:
            self.code += data
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment hides what comes after it")


def seen(markdown: str) -> Seen:
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown)
    return Seen(page)


@pytest.mark.parametrize("name", ["diff", "assess", "plan", "verify"])
def test_it_is_made_of_our_tags_alone(name: str) -> None:
    page = seen(markdown_text(reports()[name]))
    assert page.tags <= OURS
    assert page.open == []


def test_the_words_that_differ_are_marked() -> None:
    text = markdown_text(reports()["diff"])
    assert "Answer in <del>one sentence</del><ins>at most two short sentences</ins>. Never" in text
    assert "| assistant | 17 | 0 | 0 | 1 |" in text
    assert text.startswith("<h3>Drift: 4 differences in 33 objects; 16 ignored by rules")


def test_every_loss_has_its_way_out() -> None:
    text = markdown_text(reports()["assess"])
    assert "what you can do: <code>a model with web search, by hand</code>" in text
    assert text.index("Blocked: 1") < text.index("Lost: 2") < text.index("Adapted: 3")


def test_hostile_text_is_text_inside_code() -> None:
    markdown = markdown_text(hostile())
    page = seen(markdown)
    assert page.tags <= OURS
    assert page.attributes <= {"style"}  # of the numbers' alignment
    assert page.open == []
    body = page.text.replace("for them", "")
    for word in ("evil", "@", "#1", "# out", "pwned", "task", "esrever"):
        assert word not in body, word
    for text in HOSTILE:
        assert single_line(text.split("\n")[0])[:60] in page.code


def test_hostile_losses_of_many_objects_are_text_inside_code() -> None:
    report = hostile()
    losses = tuple(replace(item, section="losses", verdict="lost") for item in report.items)
    markdown = markdown_text(replace(report, items=losses))
    page = seen(markdown)
    assert "<details>" not in markdown
    assert page.tags <= OURS
    assert page.open == []
    for word in ("evil", "pwned", "task", "esrever"):
        assert word not in page.text, word
    assert all(single_line(text.split("\n")[0])[:60] in page.code for text in HOSTILE)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_headline_is_one_line_of_text(text: str) -> None:
    found = Report("diff", text, text, text, False, text)
    page = seen(markdown_text(found))
    assert page.tags <= OURS
    assert "@" not in markdown_text(found)


def test_ten_thousand_findings_fit_into_a_comment() -> None:
    text = markdown_text(many(10_000))
    assert utf16_length(text) <= MAX_COMMENT_CHARS
    shown = text.count("<details>")
    assert shown > 100
    assert f"{3_334 - shown:,} changed, 3,333 removed, 3,333 added" in text
    assert "-o report.html" in text


@pytest.mark.slow
@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("sign", ["<", "\U0001f331", "花", "&", "\x00", "`"])
def test_the_longest_texts_fit_into_a_comment(sign: str) -> None:
    long = sign * 30_000
    details = tuple(ItemDetail(long, long, long + "x", long, long) for _ in range(50))
    item = ReportItem(
        "differences", "changed", "assistant", long, long, long, long, "warning", details, long, long
    )
    more = (long,) * 50
    report = Report("diff", long, long, long, False, long[:100], items=(item,) * 3, gaps=more, notes=more)
    report = replace(report, expired=more, left_out=more)
    assert utf16_length(markdown_text(report)) <= MAX_COMMENT_CHARS
    assert utf16_length(markdown_text(with_names(many(500), long))) <= MAX_COMMENT_CHARS
    losses = tuple(replace(item, section="losses", verdict="lost", left_id=f"{n}{long}") for n in range(4))
    assert utf16_length(markdown_text(replace(report, items=losses))) <= MAX_COMMENT_CHARS
