"""Markdown of archived texts: safe HTML, every word visible, nothing fetched, in bounded time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from migrate.reports.pages.markdown_rules import CitationMark
from migrate.reports.pages.safe_markdown import MAX_MARKDOWN_CHARS, render_markdown
from migrate.reports.pages.visible_text import as_line, visible_text
from tests.reports.parsed_html import ParsedPage
from tests.strategies import steady

REL = 'rel="noopener noreferrer nofollow"'


def rendered(text: str, **options: bool) -> str:
    return str(render_markdown(text, **options)).strip()


# ------------------------------------------------------------------------------------------------- features


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Head", "<h3>Head</h3>"),
        ("##### Low", "<h6>Low</h6>"),
        ("**b** *i* ~~s~~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>"),
        ("one\ntwo", "<p>one<br />\ntwo</p>"),
        ("7. seven\n9. nine", '<ol start="7">\n<li value="7">seven</li>\n<li value="9">nine</li>\n</ol>'),
        (
            "```sh -x\nls <a>\n```",
            '<div class="code"><p class="code-label">sh -x</p>'
            '<pre tabindex="0"><code>ls &lt;a&gt;</code></pre></div>',
        ),
        ("|a|b|\n|:-:|-|\n|1|2|", None),
        (r"sum \(x_1 + y_2\)", r'<p>sum <code class="formula">\(x_1 + y_2\)</code></p>'),
        ("$$a_b$$ and $5", '<p><code class="formula">$$a_b$$</code> and $5</p>'),
        (
            "[a](https://e.example/x)",
            f'<p><a href="https://e.example/x" title="https://e.example/x" {REL}>a</a></p>',
        ),
        (
            "see https://e.example/a_(b).",
            f'<p>see <a href="https://e.example/a_(b)" {REL}>https://e.example/a_(b)</a>.</p>',
        ),
        (
            "![a](https://e.example/x.png)",
            f'<p><a href="https://e.example/x.png" title="https://e.example/x.png" {REL}>a '
            '<span class="image-note">(image)</span></a></p>',
        ),
    ],
)  # fmt: skip
def test_what_it_knows(text: str, html: str | None) -> None:
    assert rendered(text) == html or (html is None and 'class="cell-center"' in rendered(text))


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](&#106;avascript:alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "![a](data:image/svg+xml;base64,PHN2Zz4=)",
        "![a](data:image/png;base64,iVBORw0KGgo=)",
        "[a](file:///etc/passwd)",
        "[a](//e.example/x)",
        "[a](../x.html)",
        "[a](vbscript:x)",
        "<javascript:alert(1)>",
        "[a](sandbox:/mnt/data/x.csv)",
        "[hidden]: https://e.example",
        "|a|\n|-|\n|1|2|",
        "<!-- hidden -->",
    ],
)
def test_what_is_not_safe_or_would_be_hidden_is_text(text: str) -> None:
    shown = ParsedPage(rendered(text))
    assert shown.tags <= {"p", "br", "a"}
    assert {href for href in shown.hrefs if not href.startswith("https://e.example")} == set()
    assert re.sub(r"\s", "", shown.text) == re.sub(r"\s", "", text.replace("&#106;", "j"))


def test_people_type_backslashes_and_entities() -> None:
    text = r"C:\_temp \d+\.\d+ &amp; \*x\*"
    assert ParsedPage(rendered(text, as_typed=True)).text.strip() == text
    assert ParsedPage(rendered(text)).text.strip() == r"C:_temp \d+.\d+ & *x*"


def test_what_is_nested_too_deeply_is_shown_as_it_is() -> None:
    deep = "> " * 200 + "the end"
    assert "the end" in ParsedPage(rendered(deep)).text
    assert rendered(deep).startswith('<div class="as-is">')
    assert "<blockquote>" in rendered("> " * 20 + "x")


# ------------------------------------------------------------------------------------------------ citations


def mark(number: int, href: str = "", replaced: str = "") -> CitationMark:
    return CitationMark(Markup("<sup>{}</sup>").format(number), href, replaced)


def cited(text: str, *marks: tuple[str, CitationMark]) -> str:
    rows = [(text.index(found), text.index(found) + len(found), one) for found, one in marks]
    return str(render_markdown(text, rows)).strip()


def test_a_mark_replaces_the_marker_or_follows_the_text() -> None:
    text = "**Yes.**【4:0†source】 And here."
    assert cited(text, ("【4:0†source】", mark(1, "", "【4:0†source】"))) == (
        "<p><strong>Yes.</strong><sup>1</sup> And here.</p>"
    )
    assert cited(text, ("Yes", mark(1))) == "<p><strong>Yes<sup>1</sup>.</strong>【4:0†source】 And here.</p>"
    assert cited("`a【1】`", ("【1】", mark(1, "", "【1】"))) == "<p><code>a【1】</code></p>"


def test_a_link_of_the_service_leads_to_the_file() -> None:
    text = "Take [a.csv](sandbox:/mnt/data/a.csv)."
    link = '<p>Take <a class="file-link" href="files/a.csv">a.csv</a><sup>1</sup>.</p>'
    assert cited(text, ("sandbox:/mnt/data/a.csv", mark(1, "files/a.csv"))) == link
    assert cited(text, ("sandbox:/mnt/data/a.csv", mark(1))) == (
        '<p>Take <span class="file-link">a.csv</span><sup>1</sup>.</p>'
    )


def test_citations_may_overlap_or_be_wrong() -> None:
    text = "abc"
    rows = [(0, 3, mark(1)), (1, 2, mark(2, "", "b")), (2, 9, mark(3, "", "zzz"))]
    assert str(render_markdown(text, rows)).strip() == "<p>abc<sup>1</sup><sup>2</sup><sup>3</sup></p>"


def test_nobody_can_write_a_place_of_a_citation() -> None:
    assert "fdd0" in rendered("【\ufdd00\ufdd1】")
    assert "fdd0" in ParsedPage(str(render_markdown("【\ufdd00\ufdd1】", [(0, 0, mark(1))]))).text


# ---------------------------------------------------------------------------------------------- properties


TAGS = set(
    "p br hr h3 h4 h5 h6 strong em s code pre div span a ul ol li blockquote "
    "table thead tbody tr th td".split()
)
ATTRIBUTES = {"href", "title", "rel", "class", "tabindex", "start", "value"}
PIECES = st.sampled_from(
    "# |* |- |1. |7) |> |>|`|```|```py\n|~~~|\n|\n\n|  |    |\t|[|](|)|![|](javascript:|](https://e.example/|](data:|<|>|<b>|"
    "</b>|<!--|-->|*|**|_|__|~~|\\||\\|&|&lt;|&#x41;|a|b c|one two|\n|-|-|\n|---|\n===|\n---|$$|\\(|\\)|\\[|\\]|https://e.example|"
    "mailto:x@e.example|【1】|\u202e|\u200d|\ufdd0|\x00|\ud800|é|漢字|🏳️".split("|")
) | st.sampled_from(["|", "|a|b|\n|-|-|\n|c|d|e|\n", "|a|\n|-|\n|b|\n"])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@steady
@given(text=TEXTS, as_typed=st.booleans())
def test_any_text_becomes_safe_and_balanced_html(text: str, as_typed: bool) -> None:
    shown = ParsedPage(rendered(text, as_typed=as_typed))
    assert shown.tags <= TAGS
    assert shown.attributes <= ATTRIBUTES
    assert all(re.match(r"(https?://|mailto:)[^\s/]", href) for href in shown.hrefs)
    assert not re.search("[\x00-\x08\u202e\ufdd0\ud800]", shown.text)


@steady
@given(text=TEXTS.filter(lambda text: "&" not in text))
def test_every_word_is_shown(text: str) -> None:
    words = re.findall(r"[^\W_]+", re.sub(r"\b[0-9]+[.)]", "", visible_text(text)))
    shown = ParsedPage(rendered(text))
    assert not [word for word in words if word not in shown.text + shown.hints]


HARD = {
    "brackets": "[" * 50_000,
    "images": "![" * 25_000,
    "links": "[a](b" * 10_000,
    "pairs": "[" * 25_000 + "]" * 25_000,
    "emphasis": "*a_" * 10_000 + "b" + "_*" * 10_000,
    "rows": "a|b\n-|-\n" + "x|y\n" * 12_000,
    "quotes": ">" * 50_000,
    "lists": "* a\n" * 12_000,
    "ticks": "".join("`" * n + " " for n in range(300)),
    "formulas": r"\(" * 25_000,
    "dollars": "$" * 50_000,
    "less": "<" * 50_000,
    "line": "a" * 10_000_000,
    "addresses": "https://e.example/" * 3_000,
}


@pytest.mark.parametrize("name", HARD)
def test_hard_texts_take_bounded_time(name: str) -> None:
    start = time.process_time()
    assert rendered(HARD[name])
    assert time.process_time() - start < 2  # without the bound on work: up to 15 seconds


def test_a_long_answer_is_still_markdown() -> None:
    answer = (
        "## Part\n\nSome **bold** words, `code`, and a [link](https://e.example/x).\n\n- one\n- two\n\n" * 500
    )
    assert len(answer) < MAX_MARKDOWN_CHARS
    assert "<strong>bold</strong>" in rendered(answer)


# --------------------------------------------------------------------------------------------- visible text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("\x00\x1b[31m\x7f\x9b", r"\x00\x1b[31m\x7f\x9b"),
        ("\u202eabc\u2066\u2069", r"\u202eabc\u2066\u2069"),
        ("half \ud800 \udfff", r"half \ud800 \udfff"),
        ("\ufdd0\ufffe\uffff", r"\ufdd0\ufffe\uffff"),
        ("hid\U000e0041den", r"hid\U000e0041den"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4\U000e0067\U000e0062\U000e007f"),
        ("👩‍👩‍👧 می‌خواهم a\u00a0b\u3000c\tשלום\u200f", "👩‍👩‍👧 می‌خواهم a\u00a0b\u3000c\tשלום\u200f"),
    ],
)
def test_only_what_hides_or_reorders_is_escaped(text: str, shown: str) -> None:
    assert visible_text(text) == shown


def test_a_line_is_one_line_of_bounded_length() -> None:
    assert as_line("<a>\n\tb") == "&lt;a&gt; b"
    assert as_line("x" * 50, 10) == "x" * 9 + "…"
    assert len(as_line("x" * 10_000_000, 10)) == 10
