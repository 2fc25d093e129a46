"""Models that end, as lines, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from migrate.model.entity import JSON
from migrate.model.results.retirements import RetirementBasis, Retiring, RetiringObject, UnknownModel
from migrate.reports.report import ReportEnding
from migrate.reports.text_table import number_of, shorten, table

# Names in a note, and what lists all of them.
MAX_NAMED, WHOLE_LIST = 5, "all: ls ARCHIVE --retiring"
# A plan whose target model ends within so many days says so first.
SOON_DAYS = 30
BASIS_TEXTS: dict[RetirementBasis, str] = {
    "service": "according to the service",
    "announced": "announced",
    "base model": "announced for its base model; whether it holds for this one is not stated",
    "guess": "a guess by the deployment's name; its model cannot be seen",
}


def retiring_document(retiring: Retiring | None) -> dict[str, JSON]:
    """The keys `retiring`, a row for each assistant, and `unknown_models` of a JSON document."""
    if retiring is None:
        return {"retiring": [], "unknown_models": []}
    return {
        "retiring": [asdict(row) for row in retiring.objects],
        "unknown_models": [asdict(row) for row in retiring.unknown],
    }


def retiring_notes(retiring: Retiring | None) -> Iterator[str]:
    """A line for each model that ends, the earliest first, and one for models of which nothing is known."""
    if retiring is None:
        return
    groups: dict[tuple[str, ...], list[RetiringObject]] = {}
    for row in retiring.objects:
        groups.setdefault((row.kind, row.model, row.served_model, row.ends_on), []).append(row)
    for rows in groups.values():
        first, *others = dict.fromkeys(row.remedy for row in rows)
        remedies = _first([first, *(remedy.partition(": ")[2] for remedy in others)])
        yield f"{_ending(rows[0])}{_assistants(rows)}; {remedies}"
    reasons: dict[str, list[str]] = {}
    for unknown in retiring.unknown:
        reasons.setdefault(unknown.reason, []).append(_unknown_model(unknown))
    for reason, models in reasons.items():
        yield f"not known when these models end: {_first(models)}: {reason}"


def report_endings(retiring: Retiring | None, place: str = "") -> tuple[ReportEnding, ...]:
    """The records of a report: each assistant whose model ends, each service, and models of which nothing is
    known, those with one reason together. `place`: on which estate they are, where two are meant."""
    if retiring is None:
        return ()
    known = (
        ReportEnding(
            place=place,
            what=_what(row),
            users="" if row.kind == "service" else _user(row),
            ends_on=row.ends_on,
            when=days_text(row.days_left),
            basis=row.basis,
            source=_basis_line(row),
            remedy=row.remedy,
        )
        for row in retiring.objects
    )
    models: dict[str, list[str]] = {}
    for row in retiring.unknown:
        models.setdefault(row.reason, []).append(_unknown_model(row))
    unknown = (ReportEnding(place, ", ".join(names), "", "", reason) for reason, names in models.items())
    return (*known, *unknown)


def soon_note(retiring: Retiring | None) -> str:
    """A line about models of a target that end within `SOON_DAYS`; '' if there are none."""
    rows = retiring.objects if retiring else ()
    soon = dict.fromkeys(row.model or row.name for row in rows if row.days_left <= SOON_DAYS)
    return f"the target ends within {SOON_DAYS} days for: {_first(list(soon))}" if soon else ""


def retiring_text(retiring: Retiring, unsaid: list[str]) -> str:
    """The text of `ls --retiring`: a table, then where each date is from."""
    rows = [
        (
            r.kind,
            r.id,
            shorten(r.name, 40),
            r.served_model or r.model,
            r.ends_on,
            r.days_left,
            r.basis,
            r.remedy,
        )
        for r in retiring.objects
    ]
    head = ("kind", "id", "name", "model", "ends on", "days left", "basis", "to settle it")
    lines = [table(rows, head, 100)] if rows else ["nothing is known to end"]
    lines += dict.fromkeys(_basis_line(row) for row in retiring.objects)
    lines += retiring_notes(Retiring(retiring.day, (), retiring.unknown))
    lines += [f"cannot be said: {claim}" for claim in unsaid]
    return "\n".join(lines)


def _ending(row: RetiringObject) -> str:
    why = f"{BASIS_TEXTS[row.basis]}{_source(row)}"
    return f"{_what(row)} ends on {row.ends_on}, {days_text(row.days_left)} ({why})"


def _unknown_model(row: UnknownModel) -> str:
    return f"{row.model or '(no model)'} ({number_of(row.assistants, 'assistant')})"


def _what(row: RetiringObject) -> str:
    return f"{row.model} ({row.served_model})" if row.served_model else row.model or row.name


def _user(row: RetiringObject) -> str:
    return f"{shorten(row.name, 40)} [{row.id}]" if row.name else row.id


def _basis_line(row: RetiringObject) -> str:
    text = BASIS_TEXTS[row.basis]
    return f"{row.basis}{'' if text == row.basis else f': {text}'}{_source(row)}"


def _source(row: RetiringObject) -> str:
    return f", {row.source}" + (f", read {row.read_on}" if row.read_on else "")


def days_text(days: int) -> str:
    """Days until a date in words; negative days are past."""
    if days == 0:
        return "today"
    return f"in {number_of(days, 'day')}" if days > 0 else f"{number_of(-days, 'day')} ago"


def _assistants(rows: list[RetiringObject]) -> str:
    if rows[0].kind == "service":
        return ""
    names = list(map(_user, rows))
    return f": {number_of(len(rows), 'assistant')}: {_first(names)}"


def _first(names: list[str]) -> str:
    rest = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {rest:,} more ({WHOLE_LIST})" if rest > 0 else "")
