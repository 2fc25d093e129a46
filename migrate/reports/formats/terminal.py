"""Render a report as text for a terminal, a pipe or a file.

On a terminal it is coloured, wrapped and folded, and long texts stand side by side where there is room. In a
pipe it is one line per fact, so that `grep` finds whole ones. What a report holds is never taken for markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from typing import TYPE_CHECKING

from migrate.reports.report import SECTIONS, VERDICTS, ItemDetail, Report, ReportItem
from migrate.reports.text_table import escape_control, single_line, table
from migrate.reports.values import (
    brief,
    count_words,
    detail_pieces,
    detail_reason,
    has_values,
    is_word_diff,
    item_ids,
    json_value,
    mark_piece,
)
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, SAME, DiffPiece, fold_unchanged

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


Span = tuple[str, str]

# Objects shown per verdict where a list is folded.
MAX_OBJECTS_SHOWN = 40


@dataclass(frozen=True)
class OutputLine:
    """One line, or the words that differ between two texts, which may be many."""

    indent: int = 0
    spans: tuple[Span, ...] = ()
    words: tuple[DiffPiece, ...] = ()


def report_lines(report: Report, folds: frozenset[str]) -> Iterator[OutputLine]:
    """Everything a report says, top to bottom; `folds` names the sections whose lists are cut short."""
    yield _line(0, (report.title, "title"))
    counts = report.counts
    if counts.rows and (report.items or report.command != "diff"):
        rows = [(kind, *numbers) for kind, numbers in counts.rows]
        if len(rows) > 1 and len(counts.columns) > 1:
            rows.append(("all", *(sum(column) for column in zip(*(n for _, n in counts.rows), strict=True))))
        head = (f"{counts.of} of" if counts.of != "objects" else "kind", *counts.columns)
        for text in table(rows, head).splitlines():
            yield OutputLine(0, ((text, ""),))
    for (section, verdict), group in groupby(report.items, key=lambda item: (item.section, item.verdict)):
        items = list(group)
        yield OutputLine(0, ((f"{verdict}: {len(items):,}", verdict), (f" - {VERDICTS[verdict][1]}", "dim")))
        shown = items[:MAX_OBJECTS_SHOWN] if section in folds else items
        for item in shown:
            yield from _item(item)
        if len(items) > len(shown):
            yield _line(2, (f"and {len(items) - len(shown):,} more; all of them in a file: ", "dim"),
                        ("-o report.html", "dim"))  # fmt: skip
    yield from _note_lines(report)
    yield _line(0, (report.last_line, "clear" if report.result == "clear" else "open"))


def _item(item: ReportItem) -> Iterator[OutputLine]:
    words = VERDICTS[item.verdict]
    said = [(words[0], item.verdict), (f" {item.kind} ", "dim"), (brief(item.name) or "(no name)", "name")]
    if found := item_ids(item):
        said.append((f" [{found}]", "dim"))
    if item.parent:
        said.append((f" in {item.parent}", "dim"))
    if item.note:
        said.append((f"  ({item.note})", "dim"))
    if item.since:
        said.append((f"  since {item.since}", "dim"))
    yield _line(2, *said)
    for detail in item.details:
        yield from _detail(item, detail)


def _detail(item: ReportItem, detail: ItemDetail) -> Iterator[OutputLine]:
    said = [(detail.path, "path")] if detail.path else []
    if why := detail_reason(item, detail):
        said.append((f"{': ' if said else ''}{brief(why, 400)}", ""))
    if detail.way_out:
        said.append((f" -> {brief(detail.way_out, 400)}", "way"))
    if is_word_diff(detail):
        found = detail_pieces(detail)
        yield _line(6, *said, (f": {count_words(found)}", "dim"))
        yield OutputLine(
            8,
            words=tuple(
                (k, text if k == HIDDEN else escape_control(text))
                for k, text in _folded_without_line_end(found)
            ),
        )
    elif has_values(detail):
        left, right = brief(json_value(detail.left)), brief(json_value(detail.right))
        yield _line(6, *said, (": ", ""), (left, "removed"), (" -> ", "dim"), (right, "added"))
    elif said:
        yield _line(6, *said)


def _folded_without_line_end(found: list[DiffPiece]) -> list[DiffPiece]:
    """Folded, without the line end that both texts close with."""
    shown = fold_unchanged(found)
    kind, text = shown[-1] if shown else (SAME, "")
    return [*shown[:-1], (kind, text[:-1])] if kind == SAME and text.endswith("\n") else shown


def _note_lines(report: Report) -> Iterator[OutputLine]:
    for rule in report.ignored:
        until = f", until {rule.expires}" if rule.expires else ""
        yield _line(0, ("ignored: ", "dim"), (f"{rule.count:,} by {rule.rule} ({rule.reason}{until})", ""))
    for text in report.expired:
        yield _line(0, ("expired rule: ", "open"), (text, ""))
    for what, lines in (
        ("not compared on purpose", report.left_out),
        ("not compared" if report.command == "diff" else "not in the snapshot", report.gaps),
        ("note", report.notes),
    ):
        for text in lines:
            yield _line(0, (f"{what}: ", "dim"), (text, ""))


def _line(indent: int, *spans: Span) -> OutputLine:
    return OutputLine(indent, tuple((single_line(text), style) for text, style in spans if text))


# Columns from which two texts stand side by side.
SIDE_BY_SIDE_MIN_COLUMNS = 120
STYLES = {
    "title": "bold", "name": "bold", "path": "cyan", "way": "green", "dim": "dim",
    "clear": "bold green", "open": "bold yellow",
    "same": "", "removed": "red", "added": "green", "hidden": "dim italic",
    "changed": "yellow", "create": "green", "update": "yellow", "delete": "red", "adopt": "cyan",
    "blocked": "bold red", "lost": "red", "adapted": "yellow",
    "missing": "red", "differs": "yellow", "stray": "magenta", "wrong": "bold red",
}  # fmt: skip


def terminal_text(report: Report, whole: bool = False) -> str:
    """Plain text that nothing wraps. `whole`: no list is cut short, as in a file."""
    folds = frozenset() if whole else frozenset(SECTIONS) - {"differences"}
    lines: list[str] = []
    for found in report_lines(report, folds):
        blank = " " * found.indent
        text = "".join(text for text, _ in _spans(found.words, False) or found.spans)
        lines += [f"{blank}{part}".rstrip() for part in text.split("\n")]
    return "\n".join(lines)


def terminal_screen(report: Report, width: int, colour: bool) -> str:
    """The same for a terminal of `width` columns."""
    from rich.console import Console

    file = StringIO()
    console = Console(
        file=file, width=max(width, 20), force_terminal=True, no_color=not colour, legacy_windows=False,
        color_system="standard" if colour else None,
    )  # fmt: skip
    for found in report_lines(report, frozenset(SECTIONS)):
        for part in _wrapped(found, console, width, colour):
            console.print(part, no_wrap=True, overflow="ignore", crop=False)
    return "\n".join(row.rstrip() for row in file.getvalue().splitlines())


def _wrapped(found: OutputLine, console: Console, width: int, colour: bool) -> Iterator[Text]:
    from rich.text import Text

    if found.words and width >= SIDE_BY_SIDE_MIN_COLUMNS:
        yield from _side_by_side(found, console, width, colour)
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


def _side_by_side(found: OutputLine, console: Console, width: int, colour: bool) -> Iterator[Text]:
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


def _rows(words: Iterable[DiffPiece]) -> Iterator[list[DiffPiece]]:
    row: list[DiffPiece] = []
    for kind, text in words:
        *ends, rest = text.split("\n") if kind == SAME else [text]
        for part in ends:
            yield [*row, (SAME, part)]
            row = []
        row.append((kind, rest))
    if any(text for _, text in row):
        yield row


def _spans(words: Iterable[DiffPiece], colour: bool) -> list[tuple[str, str]]:
    """Text and style; without colour the marks of plain text."""
    return [(text if colour and kind != HIDDEN else mark_piece(kind, text), kind) for kind, text in words]
