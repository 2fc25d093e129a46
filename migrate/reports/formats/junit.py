"""Render a report as JUnit XML: one test case for each item, and one per kind for all other objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from migrate.reports.report import TOTAL_COLUMNS, VERDICTS, ItemDetail, Report, ReportItem
from migrate.reports.text_table import escape_control, number_of, single_line
from migrate.reports.values import (
    brief,
    count_words,
    detail_reason,
    has_values,
    is_word_diff,
    item_ids,
    json_value,
    mark_piece,
)  # fmt: skip
from migrate.reports.word_diff import HIDDEN, fold_unchanged, word_diff


def junit_xml(report: Report) -> str:
    """Items that need action are failures, gaps are errors, and accepted losses are skipped."""
    suites = Element("testsuites", name="assistants-migrate")
    suite = SubElement(suites, "testsuite", name=f"{report.command} {single_line(report.title)}")
    if report.made_at:
        suite.set("timestamp", single_line(report.made_at))
    for case in [*_passed_cases(report), *_item_cases(report), *_unread_cases(report)]:
        suite.append(case)
    for element in (suites, suite):
        element.set("tests", str(len(suite)))
        for child, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            element.set(attribute, str(len(suite.findall(f"testcase/{child}"))))
    output = SubElement(suite, "system-out")
    output.text = escape_control("\n".join([report.last_line, *_notes(report)]))
    ElementTree.indent(suites, " ")
    body = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'


def _passed_cases(report: Report) -> Iterator[Element]:
    """One case per kind for the objects without an item."""
    named = Counter(item.kind for item in report.items)
    columns = [name for name in TOTAL_COLUMNS if name in report.counts.columns]
    for kind, numbers in report.counts.rows if columns else ():
        total = numbers[report.counts.columns.index(columns[0])]
        alike = max(total - named[kind], 0)
        if alike or not named[kind]:
            yield _case(report, kind, f"{alike:,} of {number_of(total, kind)} as expected")


def _item_cases(report: Report) -> Iterator[Element]:
    for item in report.items:
        name = f"{brief(item.name, 120) or '(no name)'} [{item_ids(item) or 'every one'}]"
        case = _case(report, item.kind, f"{name} {item.verdict}")
        where = [f"in {item.parent}"] if item.parent else []
        where += [item.note] if item.note else []
        where += [f"since {item.since}"] if item.since else []
        body = "\n".join([*where, *(text for detail in item.details for text in _detail(item, detail))])
        if item.needs_action:
            fields = ", ".join(detail.path for detail in item.details if detail.path)
            message = brief(f"{item.verdict}: {fields or VERDICTS[item.verdict][1]}", 300)
            failure = SubElement(case, "failure", message=single_line(message), type=item.verdict)
            failure.text = escape_control(body) or None
        elif item.note == "accepted":
            SubElement(case, "skipped", message=single_line(brief(body.replace("\n", "; "), 300)))
        elif body:
            SubElement(case, "system-out").text = escape_control(body)
        yield case


def _unread_cases(report: Report) -> Iterator[Element]:
    for gap in report.gaps:
        case = _case(report, "not read", brief(gap, 200))
        SubElement(case, "error", message=single_line(brief(gap, 300)), type="not read")
        yield case


def _notes(report: Report) -> Iterator[str]:
    for rule in report.ignored:
        until = f", until {rule.expires}" if rule.expires else ""
        yield f"ignored: {rule.count:,} by {rule.rule} ({rule.reason}{until})"
    for table in report.tables:
        for row in table.rows:
            cells = (f"{head} {cell}" for head, cell in zip(table.columns, row, strict=True) if cell)
            yield f"{table.title}: {', '.join(cells)}"
    yield from (f"expired rule: {rule}" for rule in report.expired)
    yield from (f"not compared on purpose: {text}" for text in report.left_out)
    for ending in report.endings:
        source = f" ({ending.source})" if ending.source else ""
        yield f"ends: {ending.sentence}{source}" + (f" -> {ending.remedy}" if ending.remedy else "")
    yield from (f"note: {note}" for note in report.notes)


def _case(report: Report, kind: str, name: str) -> Element:
    return Element("testcase", classname=single_line(f"{report.command}.{kind}"), name=single_line(name))


def _detail(item: ReportItem, detail: ItemDetail) -> Iterator[str]:
    line = ": ".join(filter(None, (detail.path, detail_reason(item, detail))))
    line += f" -> {detail.remedy}" if detail.remedy else ""
    if is_word_diff(detail):
        pieces = word_diff(detail.left, detail.right)
        yield f"{line}: {count_words(pieces)}"
        yield "".join(
            mark_piece(kind, text if kind == HIDDEN else escape_control(text))
            for kind, text in fold_unchanged(pieces)
        )
    elif has_values(detail):
        yield f"{line}: {brief(json_value(detail.left))} -> {brief(json_value(detail.right))}"
    elif line:
        yield line
