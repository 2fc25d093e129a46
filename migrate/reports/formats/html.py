"""A report in, one HTML file out that needs nothing else: no network, no other file.

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

from migrate.reports.diagram import MARKS, drawn
from migrate.reports.report import SECTIONS, VERDICTS, Counts, Detail, Item, Report
from migrate.reports.text_table import clean, line
from migrate.reports.values import brief, counted, has_values, has_words, pieces, reason, value
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, SAME, folded, hidden

PAGE = Path(__file__).parent / "page"
TEXT_BUDGET = 4_000_000
"""Characters of unchanged text that the page may hold to be unfolded; after that they are only counted."""
LONGEST = 20_000
"""Characters of one value that was not compared word by word."""
OPERATIONS = {SAME: 0, REMOVED: 1, ADDED: 2, HIDDEN: 3}
WAYS = 12
NAMES = {"diff": "Drift", "assess": "Assessment", "plan": "Plan", "verify": "Verification"}
RESULTS = {"clear": "Nothing to act on", "open": "To act on", "incomplete": "Not all of it was read"}
SIDES = {"diff": ("left", "right")}
WAYS_OF_COUNTING = ("compared", "checked")


def html_page(report: Report) -> str:
    """The whole page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_seen,
    )  # fmt: skip
    style, script = ((PAGE / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return environment.get_template("report.html.j2").render(
        report=report,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_data(report),
        headline=report.last_line.partition("; ")[0],
        more=report.last_line.partition("; ")[2],
        title=NAMES.get(report.command, report.command),
        result=RESULTS[report.result],
        sides=SIDES.get(report.command, ("source", "target")),
        bars=_bars(report.counts),
        ways=_ways(report),
        days=_days(report),
        pictures=[drawn(label, picture) for label, picture in report.pictures],
        marks=MARKS,
        verdicts=VERDICTS,
        not_read="Not compared" if report.command == "diff" else "Not in the snapshot",
    )


def _seen(found: object) -> object:
    """What the template is about to write, with every character visible; what is safe already stays."""
    return line(found) if isinstance(found, str) and not hasattr(found, "__html__") else found


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _data(report: Report) -> str:
    """The objects as JSON that can stand inside a script element, whatever it holds."""
    budget = [TEXT_BUDGET]
    document = {
        "sections": SECTIONS,
        "verdicts": VERDICTS,
        "items": [_item(item, budget) for item in report.items],
    }
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _item(item: Item, budget: list[int]) -> dict[str, Any]:
    details = [said for detail in item.details if (said := _detail(item, detail, budget))]
    short = {
        "s": item.section, "v": item.verdict, "k": item.kind, "n": clean(item.name), "l": clean(item.left_id),
        "r": clean(item.right_id), "p": clean(item.parent), "g": item.severity, "o": clean(item.note),
        "t": clean(item.since), "d": details,
    }  # fmt: skip
    return {key: found for key, found in short.items() if found}


def _detail(item: Item, detail: Detail, budget: list[int]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "p": clean(detail.path),
        "y": clean(reason(item, detail)),
        "w": clean(detail.way_out),
    }
    if has_words(detail):
        found = pieces(detail)
        said["c"] = counted(found)
        budget[0] -= sum(len(text) for kind, text in found if kind == SAME)
        shown = found if budget[0] > 0 else folded(found)
        said["x"] = [[OPERATIONS[k], hidden(text) if k == HIDDEN else clean(text)] for k, text in shown]
    elif has_values(detail):
        said["l"], said["r"] = (clean(brief(value(one), LONGEST)) for one in (detail.left, detail.right))
        said["a"] = (detail.left is not None) + 2 * (detail.right is not None)
    return {key: found for key, found in said.items() if found}


def _bars(counts: Counts) -> list[dict[str, Any]]:
    """Per kind its numbers, and how they share a bar of 100."""
    rows = []
    for kind, numbers in counts.rows:
        by_name = dict(zip(counts.columns, numbers, strict=True))
        total = sum(by_name.pop(name, 0) for name in WAYS_OF_COUNTING)
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


def _ways(report: Report) -> list[dict[str, Any]]:
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
        for (verdict, path, why, way), count in rows[:WAYS]
    ]


def _days(report: Report) -> list[tuple[str, int, float]]:
    """Since which day how many objects differ, and its share of the busiest day in hundredths."""
    found = Counter(item.since[:10] for item in report.items if item.since)
    most = max(found.values(), default=1)
    return [(day, number, round(100 * number / most, 2)) for day, number in sorted(found.items())][-14:]
