"""Render a report as one HTML file that needs no network and no other file.

A template that escapes everything writes the numbers and the diagrams. The objects are embedded as JSON in
which no character can end the script element; a script shows them as text.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from migrate.reports.diagram import MARK_MEANINGS, layout_diagram
from migrate.reports.report import (
    ENDINGS_TITLE,
    REPORT_TITLES,
    RESULT_TITLES,
    SECTIONS,
    TOTAL_COLUMNS,
    VERDICTS,
    ItemDetail,
    ObjectCounts,
    Report,
    ReportItem,
)
from migrate.reports.text_table import escape_control, single_line
from migrate.reports.values import (
    brief,
    count_words,
    detail_reason,
    has_values,
    is_word_diff,
    json_value,
)
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, SAME, fold_unchanged, hidden_label, word_diff

PAGE_FOLDER = Path(__file__).parent / "page"
# Characters of unchanged text in a page that can be unfolded; beyond that, folded text is only counted.
MAX_UNCHANGED_CHARS = 4_000_000
# Characters of one value that was not compared word by word.
MAX_VALUE_CHARS = 20_000
PIECE_CODES = {SAME: 0, REMOVED: 1, ADDED: 2, HIDDEN: 3}
MAX_REMEDIES_SHOWN = 12
# Lines about what ends that are shown at once; the others open on request.
MAX_ENDINGS_OPEN = 12
SIDE_LABELS = {"diff": ("left", "right")}


@dataclass(frozen=True)
class ItemLinks:
    """Addresses of pages about an item: of the object, of the one it belongs to with its name, and of the
    object as it was on the left; '' where there is none. What the first and the last are called."""

    object: str = ""
    object_label: str = ""
    parent: str = ""
    parent_name: str = ""
    before: str = ""
    before_label: str = ""


# What an item leads to. A report in a file leads nowhere.
LinksOfItem = Callable[[ReportItem], ItemLinks]


def no_links(_: ReportItem) -> ItemLinks:
    """The links of a report that is a file."""
    return ItemLinks()


def html_page(report: Report) -> str:
    """The whole page."""
    environment = Environment(
        loader=FileSystemLoader(PAGE_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_finalize,
    )  # fmt: skip
    style = page_asset("base.css") + page_asset("report.css")
    script = page_asset("report.js")
    return environment.get_template("report.html.j2").render(
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        **report_context(report),
    )


def report_context(report: Report, links: LinksOfItem = no_links) -> dict[str, Any]:
    """What the template `report_body.html.j2` shows of a report; `data` is read by its script.
    `plain_address`: of the same list without a script, '' for a file."""
    headline, _, more = report.last_line.partition("; ")
    return {
        "report": report,
        "data": _data(report, links),
        "headline": headline,
        "more": more,
        "title": REPORT_TITLES.get(report.command, report.command),
        "result": RESULT_TITLES[report.result],
        "sides": SIDE_LABELS.get(report.command, ("source", "target")),
        "bars": _bars(report.counts),
        "remedies": _remedies(report),
        "days": _days(report),
        "endings_title": ENDINGS_TITLE,
        "endings_open": MAX_ENDINGS_OPEN,
        "pictures": [layout_diagram(label, diagram) for label, diagram in report.pictures],
        "marks": MARK_MEANINGS,
        "verdicts": VERDICTS,
        "plain_address": "",
    }


def page_asset(name: str) -> str:
    """The text of a file of the page: base.css, which all pages share, report.css or report.js."""
    return (PAGE_FOLDER / name).read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    """Make every character of a text visible, unless it is marked as safe HTML."""
    return single_line(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _data(report: Report, links: LinksOfItem) -> str:
    """The objects as JSON that cannot end a script element, whatever their texts."""
    budget = [MAX_UNCHANGED_CHARS]
    document = {
        "sections": SECTIONS,
        "verdicts": VERDICTS,
        "items": [_item(item, links(item), budget) for item in report.items],
    }
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _item(item: ReportItem, links: ItemLinks, budget: list[int]) -> dict[str, Any]:
    details = [row for detail in item.details if (row := _detail(item, detail, budget))]
    short = {
        "s": item.section, "v": item.verdict, "k": item.kind, "n": escape_control(item.name),
        "l": escape_control(item.left_id), "r": escape_control(item.right_id),
        "p": escape_control(links.parent_name or item.parent), "g": item.severity,
        "o": escape_control(item.note), "t": escape_control(item.since), "d": details,
        "u": links.object, "ul": links.object_label, "q": links.parent, "b": links.before,
        "bl": links.before_label,
    }  # fmt: skip
    return {key: value for key, value in short.items() if value}


def _detail(item: ReportItem, detail: ItemDetail, budget: list[int]) -> dict[str, Any]:
    short: dict[str, Any] = {
        "p": escape_control(detail.path),
        "y": escape_control(detail_reason(item, detail)),
        "w": escape_control(detail.remedy),
    }
    if is_word_diff(detail):
        pieces = word_diff(detail.left, detail.right)
        short["c"] = count_words(pieces)
        budget[0] -= sum(len(text) for kind, text in pieces if kind == SAME)
        shown = pieces if budget[0] > 0 else fold_unchanged(pieces)
        short["x"] = [
            [PIECE_CODES[k], hidden_label(text) if k == HIDDEN else escape_control(text)] for k, text in shown
        ]
    elif has_values(detail):
        short["l"], short["r"] = (
            escape_control(brief(json_value(value), MAX_VALUE_CHARS)) for value in (detail.left, detail.right)
        )
        short["a"] = (detail.left is not None) + 2 * (detail.right is not None)
    return {key: value for key, value in short.items() if value}


def _bars(counts: ObjectCounts) -> list[dict[str, Any]]:
    """The numbers of each kind, and the parts of its bar as (name, start, width) in per cent."""
    rows = []
    for kind, numbers in counts.rows:
        by_name = dict(zip(counts.columns, numbers, strict=True))
        total = sum(by_name.pop(name, 0) for name in TOTAL_COLUMNS)
        alike = max(total - sum(by_name.values()), 0)
        parts = {"alike": alike, **by_name} if total else by_name
        whole = sum(parts.values()) or 1
        start, bar = 0.0, []
        for name, number in parts.items():
            if number:
                bar.append((name, round(start, 2), round(100 * number / whole, 2)))
                start += 100 * number / whole
        rows.append({"kind": kind, "numbers": numbers, "bar": bar})
    return rows


def _remedies(report: Report) -> list[dict[str, Any]]:
    """Each remedy for a loss once, with the number of objects that it helps, most severe first."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for item in report.items:
        for detail in item.details:
            if detail.remedy and item.verdict != "adapted":
                counts[item.verdict, detail.path, detail.reason, detail.remedy] += 1
    order = list(VERDICTS)
    rows = sorted(counts.items(), key=lambda row: (order.index(row[0][0]), -row[1]))
    return [
        {
            "verdict": verdict,
            "path": path,
            "reason": brief(reason, 400),
            "text": brief(text, 400),
            "count": count,
        }
        for (verdict, path, reason, text), count in rows[:MAX_REMEDIES_SHOWN]
    ]


def _days(report: Report) -> list[tuple[str, int, float]]:
    """Day, number of objects that differ since that day, and its share of the busiest day in per cent."""
    counts = Counter(item.since[:10] for item in report.items if item.since)
    most = max(counts.values(), default=1)
    return [(day, number, round(100 * number / most, 2)) for day, number in sorted(counts.items())][-14:]
