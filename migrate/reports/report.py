"""The records that every report consists of, independent of its format.

A command's own module makes a `Report`; a renderer turns any `Report` into text and knows no command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# The sections of a report, in display order.
SECTIONS = {
    "differences": "What differs",
    "actions": "What would be done",
    "losses": "What will not arrive as it is",
    "findings": "What is not as it should be",
}

# Verdict on an object -> (its sign in a list, its meaning), in display order.
VERDICTS = {
    "changed": ("~", "on both sides, and not alike"),
    "removed": ("-", "on the left only"),
    "added": ("+", "on the right only"),
    "create": ("+", "will be made"),
    "update": ("~", "will be changed"),
    "delete": ("-", "will be deleted"),
    "adopt": ("=", "is there already, and taken over as it is"),
    "blocked": ("!", "cannot be made on the target"),
    "lost": ("x", "will not be on the target"),
    "adapted": ("~", "arrives in another form, or waits in the archive"),
    "missing": ("-", "is not on the target"),
    "differs": ("~", "is on the target, and not as it should be"),
    "stray": ("+", "is on the target, and should not be"),
    "wrong": ("!", "was found, and is no use as it is"),
}

# Severities of an item. `error` and `warning` need action; `notice` is only shown; plan actions have none.
SEVERITIES = ("error", "warning", "notice", "")


@dataclass(frozen=True)
class ItemDetail:
    """One thing said about an object: where, both values (None: not there), why, what can be done."""

    path: str
    left: Any = None
    right: Any = None
    reason: str = ""
    way_out: str = ""


@dataclass(frozen=True)
class ReportItem:
    """One object, with everything that one verdict says about it. `since`: when it began, as far as snapshots
    tell (ISO 8601), or nothing. `note`: a few words beside its name, as how two objects were paired."""

    section: str
    verdict: str
    kind: str
    name: str = ""
    left_id: str = ""
    right_id: str = ""
    parent: str = ""
    severity: str = ""
    details: tuple[ItemDetail, ...] = ()
    note: str = ""
    since: str = ""

    @property
    def needs_action(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.severity in ("error", "warning")


@dataclass(frozen=True)
class ObjectCounts:
    """Numbers per kind of object: the heads of the columns, and a row for each kind."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[int, ...]], ...] = ()
    of: str = "objects"


@dataclass(frozen=True)
class Report:
    """One reading of one command.

    `title` is its first line, `last_line` its result: the headline, then what goes with it, with a semicolon
    between. `summary` are its numbers. `ignored` counts what rules took out, rule by
    rule. `gaps` could not
    be read, so nothing is said of them; `left_out` was not looked at on purpose; `expired` names rules that
    hold no more. `pictures` are pairs of a label and an estate's picture.
    """

    command: str
    title: str
    left: str
    right: str
    ok: bool
    last_line: str
    summary: tuple[tuple[str, int], ...] = ()
    counts: ObjectCounts = ObjectCounts()
    items: tuple[ReportItem, ...] = ()
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ignored: tuple[Any, ...] = ()
    expired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    pictures: tuple[tuple[str, Any], ...] = ()
    made_at: str = ""
    version: str = ""

    @property
    def result(self) -> str:
        """`clear`, `open` (something to act on) or `incomplete` (not all of it could be read)."""
        return "incomplete" if self.gaps and self.command == "diff" else "clear" if self.ok else "open"


def sort_items(items: list[ReportItem]) -> tuple[ReportItem, ...]:
    """By section, then verdict, gravest first; what came first stays first."""
    sections, verdicts = list(SECTIONS), list(VERDICTS)
    return tuple(
        sorted(
            items,
            key=lambda item: (
                sections.index(item.section),
                SEVERITIES.index(item.severity) if item.section != "losses" else 0,
                verdicts.index(item.verdict),
            ),
        )
    )
