"""Format rows as an aligned text table, and texts so that a terminal shows them on one line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

MAX_CELL_CHARS = 60


def escape_control(text: str) -> str:
    """Replace control characters, escape sequences, direction marks and lone surrogates by visible escapes.
    Line breaks and tabs stay."""
    # Nearly every line is printable; going through its characters takes a hundred times as long.
    return "\n".join(line if line.isprintable() else _escape_line(line) for line in text.split("\n"))


def _escape_line(line: str) -> str:
    return "".join(
        c if c == "\t" or c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in line
    )


def single_line(text: str) -> str:
    """`escape_control`, with line breaks and tabs as escapes too."""
    return escape_control(text).replace("\n", "\\n").replace("\t", "\\t")


def number_of(count: int, noun: str, plural: str = "") -> str:
    """`1 difference`, `2 differences`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = (), max_chars: int = MAX_CELL_CHARS) -> str:
    """A table with two blanks between columns; numbers are aligned right; cells are cut at `max_chars`."""
    lines = [[shorten(cell, max_chars) for cell in row] for row in ([head, *rows] if head else rows)]
    if not lines:
        return ""
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(_padded, line, widths)).rstrip() for line in lines)


def shorten(value: object, max_chars: int = MAX_CELL_CHARS) -> str:
    """One line of at most `max_chars` characters; line breaks and tabs are shown as escapes."""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"


def _padded(text: str, width: int) -> str:
    blank = " " * (width - display_width(text))
    return blank + text if text.replace(",", "").isdigit() else text + blank


def display_width(text: str) -> int:
    """Columns that a terminal needs: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
