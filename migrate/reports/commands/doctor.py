"""The result of `doctor` as text and JSON."""

from __future__ import annotations

from dataclasses import asdict

from migrate.model.entity import JSON
from migrate.model.results.query import Diagnosis
from migrate.reports.commands.retirements import report_endings, retiring_document
from migrate.reports.formats.terminal import endings_text
from migrate.reports.text_table import table


def doctor_document(diagnosis: Diagnosis) -> dict[str, JSON]:
    """The JSON document of `doctor`."""
    document = asdict(diagnosis)
    del document["retiring"]
    return {**document, **retiring_document(diagnosis.retiring)}


def doctor_text(diagnosis: Diagnosis) -> str:
    """One line per check, then notes, then what ends."""
    version = f", API version {diagnosis.api_version}" if diagnosis.api_version else ""
    rows = [(symptom.what, symptom.state, symptom.detail) for symptom in diagnosis.symptoms]
    lines = [f"{diagnosis.type} {diagnosis.url}{version}", table(rows, max_chars=240)]
    lines += [f"note: {note}" for note in diagnosis.notes]
    endings = endings_text(report_endings(diagnosis.retiring), "doctor")
    return "\n".join([*lines, *([endings] if endings else [])])
