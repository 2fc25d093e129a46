"""What verify found, shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.tables import short, table

SHOWN = 40


def as_dict(found: Any) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "ok": not found.findings,
        "checked": sum(found.checked.values()),
        "checked_by_kind": found.checked,
        "findings": [asdict(finding) for finding in found.findings],
        "notes": found.notes,
    }


def as_text(found: Any) -> str:
    """How much was compared, and every finding."""
    lines = [table(found.checked.items())]
    for finding in found.findings[:SHOWN]:
        ids = f"{finding.source_id or '-'} -> {finding.target_id or '-'}"
        where = f"{finding.kind} {short(finding.name or '')} [{ids}]"
        values = (
            f": {short(repr(finding.expected))} became {short(repr(finding.found))}"
            if finding.expected != finding.found
            else ""
        )
        lines.append(f"finding: {where} {finding.path} {finding.reason}{values}")
    if len(found.findings) > SHOWN:
        lines.append(f"finding: {len(found.findings) - SHOWN:,} more, all named with --json")
    lines += [f"note: {note}" for note in found.notes]
    count = len(found.findings)
    lines.append(f"{count:,} finding{'' if count == 1 else 's'} in {sum(found.checked.values()):,} objects")
    return "\n".join(filter(None, lines))
