"""A transcript as text, Markdown or JSON, piece by piece.

What somebody wrote is data in each of them: in text it stands indented, so that it cannot pass for a
heading of ours; in Markdown every character that a renderer would obey is escaped, so nothing in it becomes
HTML, a link or an image that is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from migrate.reports.text_table import shorten

ITEM_LABEL = "(item)"
# Characters of an argument or an output that are shown; JSON has all of them.
MAX_LABEL_CHARS = 200


def transcript_document(found: Any) -> dict[str, Any]:
    """As a JSON document."""
    said = [asdict(one) for one in found.entries]
    return {
        **{k: v for k, v in vars(found).items() if k != "entries"},
        "complete": not found.gap,
        "said": said,
    }


def transcript_text(found: Any) -> Iterator[str]:
    """Line by line."""
    yield f"thread {shorten(found.thread)}{_since(found)}, {found.count:,} messages"
    yield f"snapshot {found.snapshot} of {found.source}"
    if found.gap:
        yield f"not complete: {shorten(found.gap, MAX_LABEL_CHARS)}"
    for one in found.entries:
        yield ""
        yield _heading(one)
        for part in (*one.called, *one.parts):
            if part.what == "text":
                yield from (f"    {line}" for line in split_lines(part.text))
            else:
                yield f"    [{_label(part)}]"


def transcript_markdown(found: Any) -> Iterator[str]:
    """Line by line; texts are quoted."""
    yield f"# Thread {escape_markdown(shorten(found.thread))}"
    yield ""
    yield escape_markdown(
        f"{found.count:,} messages{_since(found)}; snapshot {found.snapshot} of {found.source}"
    )
    if found.gap:
        yield ""
        yield f"**Not complete:** {escape_markdown(shorten(found.gap, MAX_LABEL_CHARS))}"
    for one in found.entries:
        yield ""
        yield f"## {escape_markdown(_heading(one))}"
        for part in (*one.called, *one.parts):
            yield ""
            if part.what == "text":
                yield from (f"> {escape_markdown(line)}  " for line in split_lines(part.text))
            else:
                yield f"- *{part.what}*: {escape_markdown(shorten(part.text, MAX_LABEL_CHARS))}"


TRANSCRIPT_FORMATS: dict[str, Callable[[Any], Iterator[str]]] = {
    "text": transcript_text,
    "markdown": transcript_markdown,
}

MARKDOWN_SPECIALS = re.compile(r"([\\`*_\[\]~|$])")
MARKDOWN_LINE_STARTS = re.compile(r"^(\s*\d*)([-+=#:.)])")
LINE_ENDS = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


def escape_markdown(text: str) -> str:
    """One line that Markdown shows as it is."""
    plain = MARKDOWN_SPECIALS.sub(r"\\\1", text)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = MARKDOWN_LINE_STARTS.sub(r"\1\\\2", plain.replace("\t", "    "))  # a list, a heading, a rule
    blanks = len(plain) - len(plain.lstrip(" "))
    return "&nbsp;" * blanks + plain[blanks:]


def split_lines(text: str) -> list[str]:
    """A text, line by line, whichever way its lines end."""
    return LINE_ENDS.split(text)


def _since(found: Any) -> str:
    return f", begun {found.at} UTC" if found.at else ""


def _heading(one: Any) -> str:
    who = f"{shorten(one.role) or ITEM_LABEL}{f' ({shorten(one.assistant)})' if one.assistant else ''}"
    return f"{one.number}. {who}{f', {one.at} UTC' if one.at else ''}, {shorten(one.id)}"


def _label(part: Any) -> str:
    return f"{part.what}: {shorten(part.text, MAX_LABEL_CHARS)}"
