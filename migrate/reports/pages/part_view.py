"""The parts of a message, its files and sources, as a template shows them. Every text is HTML already."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace

from markupsafe import Markup, escape

from migrate.model.image_type import image_in_address
from migrate.model.results.conversation import (
    Citation,
    ConversationMessage,
    ConversationPart,
    FileReference,
)
from migrate.model.results.transcripts import ConversationLinks
from migrate.reports.pages.markdown_rules import LINKABLE, CitationMark, code_block, outside_link
from migrate.reports.pages.safe_markdown import render_markdown
from migrate.reports.pages.visible_text import as_html, as_line, visible_text
from migrate.reports.sizes import size_text

# Characters of one text that a page shows; browsers get slow with single lines of some million characters.
MAX_SHOWN_CHARS = 200_000
MAX_SHOWN_NAME_CHARS = 120
MAX_QUOTE_CHARS = 600
# A marker of the service. Anything else that a citation calls its marker stays in the text.
SERVICE_MARKERS = ("【", "】")

NOTHING = Markup("")
EMPTY_TEXT = Markup('<p class="soft-line">an empty text</p>')
PART_LABELS = {"refusal": "Refusal", "result": "Result", "reasoning": "Reasoning", "code": "Code"}


@dataclass(frozen=True)
class FileView:
    """A file: its name, address ('' for none), size, and a note on what the archive lacks."""

    name: Markup
    href: Markup
    size: str
    note: str


@dataclass(frozen=True)
class PartView:
    """A part: its label, its content as HTML, the address of an image that is shown, and a file."""

    what: str
    label: Markup = NOTHING
    html: Markup = NOTHING
    image: Markup = NOTHING
    file: FileView | None = None


@dataclass(frozen=True)
class SourceView:
    """A cited source, by the number that its marks have."""

    number: int
    anchor: Markup
    name: Markup
    file: FileView | None
    quote: Markup


@dataclass
class Sources:
    """The sources of one message. Citations of one passage share a number. `as_typed`: the author of the
    message did not write Markdown on purpose."""

    anchor: str
    links: ConversationLinks
    as_typed: bool = False
    rows: list[SourceView] = field(default_factory=list)
    _numbers: dict[tuple[str, str, str, str], int] = field(default_factory=dict)

    def marks(self, part: ConversationPart) -> list[tuple[int, int, CitationMark]]:
        """Start, end and mark of each citation of a part. One without a place stands at the end."""
        placed = []
        for citation in part.citations:
            start, end = citation.start, citation.end
            if start < 0:
                start = end = len(part.text)
            placed.append((start, end, self._mark(citation)))
        return placed

    def _mark(self, citation: Citation) -> CitationMark:
        source = self.rows[self._number(citation) - 1]
        html = Markup('<sup class="cite"><a href="{}" title="{}" aria-label="source {}: {}">{}</a></sup>')
        about = ": ".join(filter(None, (source.name.striptags(), source.quote.striptags())))
        begin, end = SERVICE_MARKERS
        is_marker = citation.marker.startswith(begin) and citation.marker.endswith(end)
        return CitationMark(
            html.format(f"#{source.anchor}", about, source.number, source.name.striptags(), source.number),
            str(source.file.href) if source.file else "",
            citation.marker if is_marker else "",
        )

    def _number(self, citation: Citation) -> int:
        file_id = citation.file.id if citation.file else ""
        key = (file_id, citation.title, citation.url, citation.quote)
        if key not in self._numbers:
            number = self._numbers[key] = len(self.rows) + 1
            file = self._cited_file(citation)
            name = file.name if file else _source_name(citation)
            quote = as_line(citation.quote, MAX_QUOTE_CHARS)
            self.rows.append(SourceView(number, escape(f"{self.anchor}-s{number}"), name, file, quote))
        return self._numbers[key]

    def _cited_file(self, citation: Citation) -> FileView | None:
        """The file, which leads to the cited passage where the citation has its text."""
        if citation.file is None:
            return None
        file = file_view(citation.file, self.links, citation.title)
        if not (citation.quote and file.href):
            return file
        return replace(file, href=escape(self.links.cited(citation.file, citation.quote)))


def _source_name(citation: Citation) -> Markup:
    """The title of a cited page as a link to it."""
    title = as_line(citation.title or citation.url, MAX_SHOWN_NAME_CHARS)
    return outside_link(citation.url, title) if LINKABLE.match(citation.url) else title


def file_view(file: FileReference, links: ConversationLinks, name: str = "") -> FileView:
    """A file. `name`: used where the snapshot has none."""
    note = "" if file.has_bytes else "not in the archive"
    if file.is_parsed_text:
        note = "only the text that a vector store read from it"
    return FileView(
        as_line(file.name or name or file.id, MAX_SHOWN_NAME_CHARS),
        escape(links.file(file)),
        size_text(file.size),
        note,
    )


@dataclass(frozen=True)
class PartPlace:
    """Where a part is shown: where its page leads to, and its message; None in a run behind the last one."""

    links: ConversationLinks
    message: ConversationMessage | None = None


def part_view(part: ConversationPart, place: PartPlace, sources: Sources | None = None) -> PartView:
    """A part of a message, of an item or of the output of a tool. `sources`: of a message."""
    if part.what == "image":
        return _image_view(part, place.links)
    file = file_view(part.file, place.links, part.name) if part.file else None
    label = as_line(PART_LABELS.get(part.what, ""))
    text, rest = shown_text(part.text, place)
    if part.what in ("text", "refusal", "reasoning"):
        marks = sources.marks(part) if sources and not rest else []
        html = render_markdown(text, marks, sources is not None and sources.as_typed) if text else EMPTY_TEXT
    elif part.what == "code":
        html = code_block(visible_text(text))
    elif part.what == "file":
        label = NOTHING if file else as_line(part.name or "File", MAX_SHOWN_NAME_CHARS)
        html = Markup('<div class="as-is">{}</div>').format(as_html(text)) if text else NOTHING
    else:
        label = as_line(part.name or PART_LABELS.get(part.what, part.what), MAX_SHOWN_NAME_CHARS)
        html = pretty_block(text)
    if part.what == "reasoning" and not part.text:
        html = Markup("<p>{}</p>").format("encrypted by the service" if part.name else "nothing")
    return PartView(part.what, label, html + rest, file=file)


def _image_view(part: ConversationPart, links: ConversationLinks) -> PartView:
    if part.file:
        address = links.image(part.file) if part.file.image_type else ""
        return PartView("image", image=escape(address), file=file_view(part.file, links))
    if part.image_type:
        type_, encoded = image_in_address(part.url)
        return PartView("image", image=escape(f"data:{type_};base64,{encoded}"))
    if LINKABLE.match(part.url):
        return PartView("image", html=outside_link(part.url, as_line(part.url, MAX_SHOWN_NAME_CHARS)))
    if part.url.startswith("data:"):
        note = f"{part.url.partition(',')[0][:40]}… ({len(part.url):,} characters, no image that is shown)"
        return PartView("image", html=as_line(note))
    return PartView("image", html=as_line(part.url or "an image without address", MAX_SHOWN_NAME_CHARS))


def shown_text(text: str, place: PartPlace) -> tuple[str, Markup]:
    """The part of a text that a page shows, and a note on the rest of it."""
    if len(text) <= MAX_SHOWN_CHARS:
        return text, NOTHING
    note = f"{len(text) - MAX_SHOWN_CHARS:,} more characters"
    address = place.links.whole_text(place.message, text)
    where = Markup('<a href="{}">the whole text</a>').format(address) if address else "the archive has them"
    return text[:MAX_SHOWN_CHARS], Markup('<p class="rest">{}: {}</p>').format(note, where)


def pretty_block(text: str) -> Markup:
    """A text in a block of its own; JSON with one value a line."""
    return code_block(visible_text(pretty_json(text))) if text else NOTHING


# Longer texts are shown as they are stored.
MAX_PRETTY_CHARS = 50_000
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
INDENT = "  "


def pretty_json(text: str) -> str:
    """An object or a list with one value a line; any other text as it is."""
    if len(text) > MAX_PRETTY_CHARS or not text.lstrip().startswith(("{", "[")):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    tokens = TOKEN.findall(text)
    pieces: list[str] = []
    depth = 0
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        if token in "{[":
            is_empty = after in ("}", "]")
            depth += 1
            pieces.append(token if is_empty else f"{token}\n{INDENT * depth}")
        elif token in "}]":
            depth -= 1
            is_empty = bool(pieces) and pieces[-1] in ("{", "[")
            pieces.append(token if is_empty else f"\n{INDENT * depth}{token}")
        elif token == ",":
            pieces.append(f",\n{INDENT * depth}")
        else:
            pieces.append(": " if token == ":" else _readable(token))
    return "".join(pieces)


def _readable(token: str) -> str:
    """A string without escapes that only ASCII needs; a number as it is."""
    return json.dumps(json.loads(token), ensure_ascii=False) if token.startswith('"') else token
