"""A report in, its lines out: each an indentation and spans of text with a style's name. No terminal yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from migrate.reports.escape import clean, line
from migrate.reports.report import VERDICTS, Detail, Item, Report
from migrate.reports.text_table import table
from migrate.reports.values import brief, counted, has_values, has_words, ids, pieces, reason, value
from migrate.reports.word_diff import HIDDEN, SAME, Piece, folded

Span = tuple[str, str]

MOST = 40
"""Objects shown per verdict where a list is folded."""


@dataclass(frozen=True)
class Line:
    """One line, or the words that differ between two texts, which may be many."""

    indent: int = 0
    spans: tuple[Span, ...] = ()
    words: tuple[Piece, ...] = ()


def outline(report: Report, folds: frozenset[str]) -> Iterator[Line]:
    """Everything a report says, top to bottom; `folds` names the sections whose lists are cut short."""
    yield _line(0, (report.title, "title"))
    counts = report.counts
    if counts.rows and (report.items or report.command != "diff"):
        rows = [(kind, *numbers) for kind, numbers in counts.rows]
        if len(rows) > 1 and len(counts.columns) > 1:
            rows.append(("all", *(sum(column) for column in zip(*(n for _, n in counts.rows), strict=True))))
        head = (f"{counts.of} of" if counts.of != "objects" else "kind", *counts.columns)
        for text in table(rows, head).splitlines():
            yield Line(0, ((text, ""),))
    for (section, verdict), group in groupby(report.items, key=lambda item: (item.section, item.verdict)):
        items = list(group)
        yield Line(0, ((f"{verdict}: {len(items):,}", verdict), (f" - {VERDICTS[verdict][1]}", "dim")))
        shown = items[:MOST] if section in folds else items
        for item in shown:
            yield from _item(item)
        if len(items) > len(shown):
            yield _line(2, (f"and {len(items) - len(shown):,} more; all of them in a file: ", "dim"),
                        ("-o report.html", "dim"))  # fmt: skip
    yield from _said(report)
    yield _line(0, (report.last_line, "clear" if report.result == "clear" else "open"))


def _item(item: Item) -> Iterator[Line]:
    words = VERDICTS[item.verdict]
    said = [(words[0], item.verdict), (f" {item.kind} ", "dim"), (brief(item.name) or "(no name)", "name")]
    if found := ids(item):
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


def _detail(item: Item, detail: Detail) -> Iterator[Line]:
    said = [(detail.path, "path")] if detail.path else []
    if why := reason(item, detail):
        said.append((f"{': ' if said else ''}{brief(why, 400)}", ""))
    if detail.way_out:
        said.append((f" -> {brief(detail.way_out, 400)}", "way"))
    if has_words(detail):
        found = pieces(detail)
        yield _line(6, *said, (f": {counted(found)}", "dim"))
        yield Line(8, words=tuple((k, text if k == HIDDEN else clean(text)) for k, text in _ended(found)))
    elif has_values(detail):
        left, right = brief(value(detail.left)), brief(value(detail.right))
        yield _line(6, *said, (": ", ""), (left, "removed"), (" -> ", "dim"), (right, "added"))
    elif said:
        yield _line(6, *said)


def _ended(found: list[Piece]) -> list[Piece]:
    """Folded, without the line end that both texts close with."""
    shown = folded(found)
    kind, text = shown[-1] if shown else (SAME, "")
    return [*shown[:-1], (kind, text[:-1])] if kind == SAME and text.endswith("\n") else shown


def _said(report: Report) -> Iterator[Line]:
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


def _line(indent: int, *spans: Span) -> Line:
    return Line(indent, tuple((line(text), style) for text, style in spans if text))
