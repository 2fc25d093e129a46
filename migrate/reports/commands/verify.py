"""The result of `verify` as report and JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from migrate.reports.formats.terminal import terminal_text as plain
from migrate.reports.report import ItemDetail, ObjectCounts, Report, ReportItem, sort_items
from migrate.reports.values import number_of


def verify_document(found: Any) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "ok": not found.findings,
        "checked": sum(found.checked.values()),
        "checked_by_kind": found.checked,
        "findings": [asdict(finding) for finding in found.findings],
        "notes": found.notes,
    }


def verify_report(
    found: Any,
    source: str = "",
    target: str = "",
    made_at: str = "",
    version: str = "",
    pictures: tuple[tuple[str, Any], ...] = (),
) -> Report:
    """How much was compared, and every finding."""
    count, total = len(found.findings), sum(found.checked.values())
    items = sort_items(_items(found.findings))
    verdicts = Counter(item.verdict for item in items)
    by_kind = Counter(finding.kind for finding in found.findings)
    kinds = dict.fromkeys([*found.checked, *by_kind])
    return Report(
        command="verify",
        title=f"{source} -> {target}" if source or target else "verify",
        left=source,
        right=target,
        ok=not count,
        last_line=f"{number_of(count, 'finding')} in {number_of(total, 'object')}",
        summary=(("checked", total), ("findings", count), *verdicts.items()),
        counts=ObjectCounts(
            ("checked", "findings"),
            tuple((kind, (found.checked.get(kind, 0), by_kind[kind])) for kind in kinds),
        ),
        items=items,
        notes=tuple(found.notes),
        pictures=pictures,
        made_at=made_at,
        version=version,
    )


def _items(findings: list[Any]) -> list[ReportItem]:
    """One item per object and verdict."""
    found: dict[tuple[str, str, str, str, str], list[Any]] = {}
    for one in findings:
        key = (_verdict(one), one.kind, one.name or "", one.source_id or "", one.target_id or "")
        found.setdefault(key, []).append(one)
    return [
        ReportItem(
            section="findings",
            verdict=verdict,
            kind=kind,
            name=name,
            left_id=source,
            right_id=target,
            severity="error",
            details=tuple(ItemDetail(one.path, *_values(one), reason=one.reason) for one in rows),
        )
        for (verdict, kind, name, source, target), rows in found.items()
    ]


def _verdict(finding: Any) -> str:
    if not finding.path:
        return "missing" if finding.source_id and finding.reason != NOT_DELETED else "stray"
    return "differs" if finding.expected != finding.found else "wrong" if finding.source_id else "stray"


NOT_DELETED = "was deleted, and is there"


def _values(finding: Any) -> tuple[Any, Any]:
    return (finding.expected, finding.found) if finding.expected != finding.found else (None, None)


def verify_text(found: Any) -> str:
    """In words."""
    return plain(verify_report(found))
