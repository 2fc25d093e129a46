"""Format rows as an aligned text table; texts are shortened and never wrap a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


def escape_control(text: str) -> str:
    """Control characters, escapes, marks of direction and lone surrogates, which names may hold, are shown
    and not obeyed; line breaks and tabs stay."""
    return "".join(
        c if c in "\n\t" or (c.isprintable() or c == " ") else c.encode("unicode_escape").decode()
        for c in text
    )


def single_line(text: str) -> str:
    """The same on one line: line breaks and tabs are written as escapes too."""
    return escape_control(text).replace("\n", "\\n").replace("\t", "\\t")


MAX_CELL_CHARS = 60


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = (), widest: int = MAX_CELL_CHARS) -> str:
    """A table with two blanks between columns; numbers to the right; no cell over `widest`."""
    lines = [[shorten(cell, widest) for cell in row] for row in ([head, *rows] if head else rows)]
    if not lines:
        return ""
    widths = [max(display_width(line[n]) for line in lines) for n in range(len(lines[0]))]
    return "\n".join(
        "  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def shorten(value: object, most: int = MAX_CELL_CHARS) -> str:
    """One line of at most `most` characters; line breaks and tabs are shown as such."""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return text if len(text) <= most else text[: most - 1] + "…"


def _padded(text: str, width: int) -> str:
    blank = " " * (width - display_width(text))
    return blank + text if text.replace(",", "").isdigit() else text + blank


def display_width(text: str) -> int:
    """Columns a terminal needs: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
