"""A report in, text for a terminal, a pipe or a file out.

On a terminal it is coloured, wrapped and folded, and long texts stand side by side where there is room. In a
pipe it is one line per fact, so that `grep` finds whole ones. What a report holds is never taken for markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import StringIO
from typing import TYPE_CHECKING

from migrate.reports.formats.text import Line, outline
from migrate.reports.report import SECTIONS, Report
from migrate.reports.values import in_marks
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, SAME, Piece

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDE = 120
"""Columns from which two texts stand side by side."""
STYLES = {
    "title": "bold", "name": "bold", "path": "cyan", "way": "green", "dim": "dim",
    "clear": "bold green", "open": "bold yellow",
    "same": "", "removed": "red", "added": "green", "hidden": "dim italic",
    "changed": "yellow", "create": "green", "update": "yellow", "delete": "red", "adopt": "cyan",
    "blocked": "bold red", "lost": "red", "adapted": "yellow",
    "missing": "red", "differs": "yellow", "stray": "magenta", "wrong": "bold red",
}  # fmt: skip


def as_text(report: Report, whole: bool = False) -> str:
    """Plain text that nothing wraps. `whole`: no list is cut short, as in a file."""
    folds = frozenset() if whole else frozenset(SECTIONS) - {"differences"}
    lines: list[str] = []
    for found in outline(report, folds):
        blank = " " * found.indent
        text = "".join(text for text, _ in _spans(found.words, False) or found.spans)
        lines += [f"{blank}{part}".rstrip() for part in text.split("\n")]
    return "\n".join(lines)


def for_terminal(report: Report, width: int, colour: bool) -> str:
    """The same for a terminal of `width` columns."""
    from rich.console import Console

    file = StringIO()
    console = Console(
        file=file, width=max(width, 20), force_terminal=True, no_color=not colour, legacy_windows=False,
        color_system="standard" if colour else None,
    )  # fmt: skip
    for found in outline(report, frozenset(SECTIONS)):
        for part in _laid(found, console, width, colour):
            console.print(part, no_wrap=True, overflow="ignore", crop=False)
    return "\n".join(row.rstrip() for row in file.getvalue().splitlines())


def _laid(found: Line, console: Console, width: int, colour: bool) -> Iterator[Text]:
    from rich.text import Text

    if found.words and width >= WIDE:
        yield from _beside(found, console, width, colour)
        return
    pieces = _spans(found.words, colour) if found.words else found.spans
    text = Text()
    for part, style in pieces:
        text.append(part, STYLES.get(style, ""))
    blank = Text(" " * found.indent)
    room = max(width - found.indent, 12)
    for row in text.split("\n", allow_blank=True):
        for n, wrapped in enumerate(row.wrap(console, room - (2 if not found.words else 0)) or [Text()]):
            wrapped.rstrip()
            yield blank + (Text("  ") if n and not found.words else Text()) + wrapped


def _beside(found: Line, console: Console, width: int, colour: bool) -> Iterator[Text]:
    """Left text and right text in two columns, abreast at every line end that both have."""
    from rich.text import Text

    room = (width - found.indent - 3) // 2
    for row in _rows(found.words):
        cells = []
        for other in (ADDED, REMOVED):
            text = Text()
            for part, style in _spans([piece for piece in row if piece[0] != other], colour):
                text.append(part, STYLES.get(style, ""))
            cells.append([one for part in text.split("\n") for one in part.wrap(console, room)] or [Text()])
        for n in range(max(map(len, cells))):
            left, right = (cell[n].copy() if n < len(cell) else Text() for cell in cells)
            left.rstrip()
            left.truncate(room, pad=True)
            yield Text(" " * found.indent) + left + Text(" │ ", "dim") + right


def _rows(words: Iterable[Piece]) -> Iterator[list[Piece]]:
    row: list[Piece] = []
    for kind, text in words:
        *ends, rest = text.split("\n") if kind == SAME else [text]
        for part in ends:
            yield [*row, (SAME, part)]
            row = []
        row.append((kind, rest))
    if any(text for _, text in row):
        yield row


def _spans(words: Iterable[Piece], colour: bool) -> list[tuple[str, str]]:
    """Text and style; without colour the marks of plain text."""
    return [(text if colour and kind != HIDDEN else in_marks(kind, text), kind) for kind, text in words]
