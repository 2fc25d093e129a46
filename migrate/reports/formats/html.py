"""Render a report as one HTML file that needs no network and no other file.

The numbers and the picture are written into the page by a template that escapes everything. The objects go
in as JSON in which no character can end the script that holds it, and are put on the page as text.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

from migrate.reports.diagram import MARK_MEANINGS, layout_diagram
from migrate.reports.report import SECTIONS, VERDICTS, ItemDetail, ObjectCounts, Report, ReportItem
from migrate.reports.text_table import escape_control, single_line
from migrate.reports.values import (
    brief,
    count_words,
    detail_pieces,
    detail_reason,
    has_values,
    is_word_diff,
    json_value,
)
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, SAME, fold_unchanged, hidden_label

PAGE_FOLDER = Path(__file__).parent / "page"
# Characters of unchanged text that the page may hold to be unfolded; after that they are only counted.
MAX_UNCHANGED_CHARS = 4_000_000
# Characters of one value that was not compared word by word.
MAX_VALUE_CHARS = 20_000
PIECE_CODES = {SAME: 0, REMOVED: 1, ADDED: 2, HIDDEN: 3}
MAX_REMEDIES_SHOWN = 12
HTML_TITLES = {"diff": "Drift", "assess": "Assessment", "plan": "Plan", "verify": "Verification"}
HTML_RESULTS = {"clear": "Nothing to act on", "open": "To act on", "incomplete": "Not all of it was read"}
SIDE_LABELS = {"diff": ("left", "right")}
HTML_TOTAL_COLUMNS = ("compared", "checked")


def html_page(report: Report) -> str:
    """The whole page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGE_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_finalize,
    )  # fmt: skip
    style, script = ((PAGE_FOLDER / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return environment.get_template("report.html.j2").render(
        report=report,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_data(report),
        headline=report.last_line.partition("; ")[0],
        more=report.last_line.partition("; ")[2],
        title=HTML_TITLES.get(report.command, report.command),
        result=HTML_RESULTS[report.result],
        sides=SIDE_LABELS.get(report.command, ("source", "target")),
        bars=_bars(report.counts),
        ways=_remedies(report),
        days=_days(report),
        pictures=[layout_diagram(label, picture) for label, picture in report.pictures],
        marks=MARK_MEANINGS,
        verdicts=VERDICTS,
        not_read="Not compared" if report.command == "diff" else "Not in the snapshot",
    )


def _finalize(found: object) -> object:
    """What the template is about to write, with every character visible; what is safe already stays."""
    return single_line(found) if isinstance(found, str) and not hasattr(found, "__html__") else found


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _data(report: Report) -> str:
    """The objects as JSON that can stand inside a script element, whatever it holds."""
    budget = [MAX_UNCHANGED_CHARS]
    document = {
        "sections": SECTIONS,
        "verdicts": VERDICTS,
        "items": [_item(item, budget) for item in report.items],
    }
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _item(item: ReportItem, budget: list[int]) -> dict[str, Any]:
    details = [said for detail in item.details if (said := _detail(item, detail, budget))]
    short = {
        "s": item.section, "v": item.verdict, "k": item.kind, "n": escape_control(item.name),
        "l": escape_control(item.left_id), "r": escape_control(item.right_id),
        "p": escape_control(item.parent), "g": item.severity, "o": escape_control(item.note),
        "t": escape_control(item.since), "d": details,
    }  # fmt: skip
    return {key: found for key, found in short.items() if found}


def _detail(item: ReportItem, detail: ItemDetail, budget: list[int]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "p": escape_control(detail.path),
        "y": escape_control(detail_reason(item, detail)),
        "w": escape_control(detail.way_out),
    }
    if is_word_diff(detail):
        found = detail_pieces(detail)
        said["c"] = count_words(found)
        budget[0] -= sum(len(text) for kind, text in found if kind == SAME)
        shown = found if budget[0] > 0 else fold_unchanged(found)
        said["x"] = [
            [PIECE_CODES[k], hidden_label(text) if k == HIDDEN else escape_control(text)] for k, text in shown
        ]
    elif has_values(detail):
        said["l"], said["r"] = (
            escape_control(brief(json_value(one), MAX_VALUE_CHARS)) for one in (detail.left, detail.right)
        )
        said["a"] = (detail.left is not None) + 2 * (detail.right is not None)
    return {key: found for key, found in said.items() if found}


def _bars(counts: ObjectCounts) -> list[dict[str, Any]]:
    """Per kind its numbers, and how they share a bar of 100."""
    rows = []
    for kind, numbers in counts.rows:
        by_name = dict(zip(counts.columns, numbers, strict=True))
        total = sum(by_name.pop(name, 0) for name in HTML_TOTAL_COLUMNS)
        alike = max(total - sum(by_name.values()), 0)
        parts = {"alike": alike, **by_name} if total else by_name
        whole = sum(parts.values()) or 1
        at, bar = 0.0, []
        for name, number in parts.items():
            if number:
                bar.append((name, round(at, 2), round(100 * number / whole, 2)))
                at += 100 * number / whole
        rows.append({"kind": kind, "numbers": numbers, "bar": bar})
    return rows


def _remedies(report: Report) -> list[dict[str, Any]]:
    """Each way out of losing something once, with how many objects it would help, gravest first."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for item in report.items:
        for detail in item.details:
            if detail.way_out and item.verdict != "adapted":
                found[item.verdict, detail.path, detail.reason, detail.way_out] += 1
    order = list(VERDICTS)
    rows = sorted(found.items(), key=lambda row: (order.index(row[0][0]), -row[1]))
    return [
        {"verdict": verdict, "path": path, "reason": brief(why, 400), "way": brief(way, 400), "count": count}
        for (verdict, path, why, way), count in rows[:MAX_REMEDIES_SHOWN]
    ]


def _days(report: Report) -> list[tuple[str, int, float]]:
    """Since which day how many objects differ, and its share of the busiest day in hundredths."""
    found = Counter(item.since[:10] for item in report.items if item.since)
    most = max(found.values(), default=1)
    return [(day, number, round(100 * number / most, 2)) for day, number in sorted(found.items())][-14:]
