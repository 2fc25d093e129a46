"""Render a report as text for a terminal, a pipe or a file.

On a terminal it is coloured, wrapped and folded, and long texts are side by side if the width allows it. In a
pipe each fact is one line, so that `grep` finds whole facts. No text of a report is interpreted as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from typing import TYPE_CHECKING

from migrate.reports.loss_groups import LossGroup, every_object_hint, group_losses
from migrate.reports.report import (
    LIST_OPTIONS,
    SECTIONS,
    VERDICTS,
    ItemDetail,
    Report,
    ReportEnding,
    ReportItem,
)
from migrate.reports.text_table import escape_control, single_line, table
from migrate.reports.values import (
    brief,
    count_words,
    detail_reason,
    has_values,
    is_word_diff,
    item_ids,
    json_value,
    mark_piece,
)
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, SAME, DiffPiece, fold_unchanged, word_diff

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


Span = tuple[str, str]

# Objects shown per verdict in a folded list.
MAX_OBJECTS_SHOWN = 40


@dataclass(frozen=True)
class OutputLine:
    """One line, or the pieces of a word diff, which may be many lines."""

    indent: int = 0
    spans: tuple[Span, ...] = ()
    words: tuple[DiffPiece, ...] = ()


def report_lines(report: Report, folds: frozenset[str]) -> Iterator[OutputLine]:
    """The whole report, top to bottom. `folds`: sections whose lists are cut short."""
    yield _line(0, (report.title, "title"))
    counts = report.counts
    if counts.rows and (report.items or report.command != "diff"):
        rows = [(kind, *numbers) for kind, numbers in counts.rows]
        if len(rows) > 1 and len(counts.columns) > 1:
            rows.append(("all", *(sum(column) for column in zip(*(n for _, n in counts.rows), strict=True))))
        head = (f"{counts.of} of" if counts.of != "objects" else "kind", *counts.columns)
        for text in table(rows, head).splitlines():
            yield OutputLine(0, ((text, ""),))
    for extra in report.tables:
        yield _line(0, (extra.title, "name"))
        for text in table(extra.rows, extra.columns).splitlines():
            yield OutputLine(2, ((text, ""),))
    for (section, verdict), group in groupby(report.items, key=lambda item: (item.section, item.verdict)):
        items = list(group)
        style = verdict if any(_style(item) == verdict for item in items) else _style(items[0])
        yield OutputLine(0, ((f"{verdict}: {len(items):,}", style), (f" - {VERDICTS[verdict][1]}", "dim")))
        if section == "losses" and not report.all_objects:
            yield from _loss_lines(group_losses(items), section in folds, report.command)
            continue
        shown = items[:MAX_OBJECTS_SHOWN] if section in folds and not report.all_objects else items
        for item in shown:
            yield from _item(item)
        yield from _more_line(len(items) - len(shown), report.command)
    yield from _ending_lines(report.endings, bool(folds) and not report.all_objects, report.command)
    yield from _note_lines(report)
    yield _line(0, (report.last_line, "clear" if report.result == "clear" else "open"))


def _more_line(number: int, command: str) -> Iterator[OutputLine]:
    if number > 0:
        yield _line(2, (f"and {number:,} more; all of them: {LIST_OPTIONS[command].whole_list}", "dim"))


def _loss_lines(groups: list[LossGroup], folded: bool, command: str) -> Iterator[OutputLine]:
    """One line for all objects that lose the same for the same reason."""
    shown = groups[:MAX_OBJECTS_SHOWN] if folded else groups
    for group in shown:
        yield _line(
            2,
            (VERDICTS[group.verdict][0], "accepted" if group.note else group.verdict),
            (f" {group.kind} ", "dim"),
            (group.path, "path"),
            (f": {brief(str(group.reason), 400)}", ""),
            (f" ({group.objects})", "name"),
            (f"  ({group.note})" if group.note else "", "dim"),
            (f" -> {brief(str(group.remedy), 400)}" if str(group.remedy) else "", "remedy"),
        )
    yield from _more_line(len(groups) - len(shown), command)
    if any(group.has_more for group in shown):
        yield _line(2, (every_object_hint(command), "dim"))


def _style(item: ReportItem) -> str:
    return "accepted" if item.note == "accepted" else item.verdict


def _item(item: ReportItem) -> Iterator[OutputLine]:
    ids = item_ids(item)
    yield _line(
        2,
        (VERDICTS[item.verdict][0], _style(item)),
        (f" {item.kind} ", "dim"),
        (brief(item.name) or "(no name)", "name"),
        (f" [{ids}]" if ids else "", "dim"),
        (f" in {item.parent}" if item.parent else "", "dim"),
        (f"  ({item.note})" if item.note else "", "dim"),
        (f"  since {item.since}" if item.since else "", "dim"),
    )
    for detail in item.details:
        yield from _detail(item, detail)


def _detail(item: ReportItem, detail: ItemDetail) -> Iterator[OutputLine]:
    spans = [(detail.path, "path")] if detail.path else []
    if reason := detail_reason(item, detail):
        spans.append((f"{': ' if spans else ''}{brief(reason, 400)}", ""))
    if detail.remedy:
        spans.append((f" -> {brief(detail.remedy, 400)}", "remedy"))
    if is_word_diff(detail):
        pieces = word_diff(detail.left, detail.right)
        yield _line(6, *spans, (f": {count_words(pieces)}", "dim"))
        yield OutputLine(
            8,
            words=tuple(
                (k, text if k == HIDDEN else escape_control(text))
                for k, text in _folded_without_line_end(pieces)
            ),
        )
    elif has_values(detail):
        left, right = brief(json_value(detail.left)), brief(json_value(detail.right))
        yield _line(6, *spans, (": ", ""), (left, "removed"), (" -> ", "dim"), (right, "added"))
    elif spans:
        yield _line(6, *spans)


def _folded_without_line_end(pieces: list[DiffPiece]) -> list[DiffPiece]:
    """The folded pieces, without a line end at the end of both texts."""
    shown = fold_unchanged(pieces)
    kind, text = shown[-1] if shown else (SAME, "")
    return [*shown[:-1], (kind, text[:-1])] if kind == SAME and text.endswith("\n") else shown


def _ending_lines(endings: Sequence[ReportEnding], folded: bool, command: str) -> Iterator[OutputLine]:
    """What ends, a line for each assistant, and where the dates are from."""
    if not endings:
        return
    known = sum(bool(row.ends_on) for row in endings)
    title = (f"ends: {known:,}", "update"), (" - models and services with an announced end", "dim")
    yield OutputLine(0, title if known else (("ends: not known", "update"),))
    shown = endings[:MAX_OBJECTS_SHOWN] if folded else endings
    for row in shown:
        yield _line(
            2,
            ("! " if row.ends_on else "? ", "update"),
            (row.sentence, ""),
            (f" ({row.basis})" if row.basis else "", "dim"),
            (f" -> {row.remedy}" if row.remedy else "", "remedy"),
        )
    for source in dict.fromkeys(row.source for row in shown if row.source):
        yield _line(2, (source, "dim"))
    yield from _more_line(len(endings) - len(shown), command)


def _note_lines(report: Report) -> Iterator[OutputLine]:
    for rule in report.ignored:
        until = f", until {rule.expires}" if rule.expires else ""
        yield _line(0, ("ignored: ", "dim"), (f"{rule.count:,} by {rule.rule} ({rule.reason}{until})", ""))
    for text in report.expired:
        yield _line(0, ("expired rule: ", "open"), (text, ""))
    for label, lines in (
        ("not compared on purpose", report.left_out),
        (report.gaps_title.lower(), report.gaps),
        ("note", report.notes),
    ):
        for text in lines:
            yield _line(0, (f"{label}: ", "dim"), (text, ""))


def _line(indent: int, *spans: Span) -> OutputLine:
    return OutputLine(indent, tuple((single_line(text), style) for text, style in spans if text))


# Minimum width of the terminal for two texts side by side.
SIDE_BY_SIDE_MIN_COLUMNS = 120
STYLES = {
    "title": "bold", "name": "bold", "path": "cyan", "remedy": "green", "accepted": "dim", "dim": "dim",
    "clear": "bold green", "open": "bold yellow",
    "same": "", "removed": "red", "added": "green", "hidden": "dim italic",
    "changed": "yellow", "create": "green", "update": "yellow", "conflict": "magenta",
    "delete": "red", "adopt": "cyan",
    "blocked": "bold red", "lost": "red", "adapted": "yellow",
    "missing": "red", "differs": "yellow", "stray": "magenta", "wrong": "bold red",
}  # fmt: skip


def terminal_text(report: Report, whole: bool = False) -> str:
    """Plain text without wrapping. `whole`: no list is cut short, as in a file."""
    folds = frozenset() if whole else frozenset(SECTIONS) - {"differences"}
    return _plain_text(report_lines(report, folds))


def report_item_text(item: ReportItem) -> str:
    """One item as plain text: a line for the object, and the lines of its details."""
    return _plain_text(_item(item))


def endings_text(endings: Sequence[ReportEnding], command: str) -> str:
    """What ends as plain text, cut short; '' where nothing is known of it."""
    return _plain_text(_ending_lines(endings, True, command))


def losses_text(items: Sequence[ReportItem], command: str, all_objects: bool) -> str:
    """Losses as plain text: a line for each kind, field and reason, and how to list every object with the
    command. `all_objects`: every object instead."""
    if all_objects:
        return _plain_text(line for item in items for line in _item(item))
    return _plain_text(_loss_lines(group_losses(items), True, command))


def _plain_text(output: Iterable[OutputLine]) -> str:
    lines: list[str] = []
    for line in output:
        blank = " " * line.indent
        text = "".join(text for text, _ in _spans(line.words, False) or line.spans)
        lines += [f"{blank}{part}".rstrip() for part in text.split("\n")]
    return "\n".join(lines)


def terminal_screen(report: Report, width: int, colour: bool) -> str:
    """The report for a terminal of `width` columns."""
    from rich.console import Console

    file = StringIO()
    console = Console(
        file=file, width=max(width, 20), force_terminal=True, no_color=not colour, legacy_windows=False,
        color_system="standard" if colour else None,
    )  # fmt: skip
    for line in report_lines(report, frozenset(SECTIONS)):
        for part in _wrapped(line, console, width, colour):
            console.print(part, no_wrap=True, overflow="ignore", crop=False)
    return "\n".join(row.rstrip() for row in file.getvalue().splitlines())


def _wrapped(line: OutputLine, console: Console, width: int, colour: bool) -> Iterator[Text]:
    from rich.text import Text

    if line.words and width >= SIDE_BY_SIDE_MIN_COLUMNS:
        yield from _side_by_side(line, console, width, colour)
        return
    pieces = _spans(line.words, colour) if line.words else line.spans
    text = Text()
    for part, style in pieces:
        text.append(part, STYLES.get(style, ""))
    blank = Text(" " * line.indent)
    hanging = "" if line.words else "  "
    room = max(width - line.indent, 12) - len(hanging)
    for row in text.split("\n", allow_blank=True):
        for n, wrapped in enumerate(row.wrap(console, room) or [Text()]):
            wrapped.rstrip()
            yield blank + Text(hanging if n else "") + wrapped


def _side_by_side(line: OutputLine, console: Console, width: int, colour: bool) -> Iterator[Text]:
    """Left and right text in two columns; a line end that both texts have ends the row in both."""
    from rich.text import Text

    room = (width - line.indent - 3) // 2
    for row in _rows(line.words):
        cells = []
        for hidden in (ADDED, REMOVED):
            text = Text()
            for part, style in _spans([piece for piece in row if piece[0] != hidden], colour):
                text.append(part, STYLES.get(style, ""))
            cells.append([cell for part in text.split("\n") for cell in part.wrap(console, room)] or [Text()])
        for n in range(max(map(len, cells))):
            left, right = (cell[n].copy() if n < len(cell) else Text() for cell in cells)
            left.rstrip()
            left.truncate(room, pad=True)
            yield Text(" " * line.indent) + left + Text(" │ ", "dim") + right


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
    """Text and style of each piece; marked as in plain text if there is no colour."""
    return [(text if colour and kind != HIDDEN else mark_piece(kind, text), kind) for kind, text in words]
