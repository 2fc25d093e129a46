"""The result of `doctor` as text and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.text_table import table


def doctor_document(found: Any) -> dict[str, Any]:
    """As a JSON document."""
    return asdict(found)


def doctor_text(found: Any) -> str:
    """One line a symptom, then the advice."""
    version = f", API version {found.api_version}" if found.api_version else ""
    rows = [(s.what, s.state, s.detail) for s in found.symptoms]
    notes = [f"note: {note}" for note in found.notes]
    return "\n".join([f"{found.type} {found.url}{version}", table(rows, widest=240), *notes])
