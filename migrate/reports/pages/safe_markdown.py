"""Markdown of archived texts as HTML that is safe, shows every word, and takes bounded time.

Links lead to http, https and mail addresses only; images are never fetched. A text that would take long, or
that is nested so deeply that a part would not be shown, is shown as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from migrate.reports.pages.markdown_rules import CitationMark, markdown_parser, place, text_html
from migrate.reports.pages.visible_text import visible_text

# Longer texts are shown as they are.
MAX_MARKDOWN_CHARS = 60_000
# The parser takes most time for these characters: 5 to 30 microseconds each, and 160 for a bracket, which may
# begin a link (measured with 20,000 and 100,000 of each).
WORK_PER_CHARACTER = {"[": 20, **dict.fromkeys("\n*_~`<|&\\$", 1)}
MAX_WORK = 30_000
# Levels of quotes and lists. Deeper ones are not parsed.
MAX_NESTING = 100


def render_markdown(
    text: str,
    citations: Sequence[tuple[int, int, CitationMark]] = (),
    as_typed: bool = False,
) -> Markup:
    """A text as HTML. `citations`: start, end and mark of each citation that has a place in the text. Where
    the mark replaces nothing, it stands behind its place. `as_typed`: show backslashes and entities."""
    source, marks = _with_places(text, citations)
    if len(source) <= MAX_MARKDOWN_CHARS and _work(source) <= MAX_WORK:
        env = {"marks": marks}
        parser = _parser(as_typed)
        tokens = parser.parse(source, env)
        if all(token.level < MAX_NESTING - 1 for token in tokens):
            return Markup(parser.renderer.render(tokens, parser.options, env))
    return Markup('<div class="as-is">{}</div>').format(text_html(source, marks))


@cache
def _parser(as_typed: bool) -> MarkdownIt:
    return markdown_parser(as_typed, MAX_NESTING)


def _work(text: str) -> int:
    return sum(text.count(character) * work for character, work in WORK_PER_CHARACTER.items())


def _with_places(
    text: str, citations: Sequence[tuple[int, int, CitationMark]]
) -> tuple[str, list[CitationMark]]:
    """A visible text with the places of its citations, and their marks by number. Of citations that overlap
    the later ones stand behind the first."""
    pieces: list[str] = []
    marks: list[CitationMark] = []
    done = 0
    for start, end, mark in sorted(citations, key=lambda row: row[:2]):
        start = max(start, done)
        if mark.replaced and text[start:end] == mark.replaced:
            pieces.append(visible_text(text[done:start]))
        else:
            mark = mark._replace(replaced="")
            pieces.append(visible_text(text[done : max(end, done)]))
        done = max(end, done)
        pieces.append(place(len(marks)))
        marks.append(mark)
    return "".join([*pieces, visible_text(text[done:])]), marks
