"""The records that every report consists of, independent of its format.

A module of `commands` makes a `Report`. A module of `formats` renders any `Report` without knowing its
command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.model.entity import JSON

if TYPE_CHECKING:
    from migrate.model.results.diff import IgnoreCount
    from migrate.model.results.query import Diagram

# The sections of a report, in display order.
SECTIONS = {
    "differences": "What differs",
    "actions": "What would be done",
    "losses": "What will not arrive unchanged",
    "findings": "What differs from the plan",
}

# Verdict on an object -> (its sign in a list, its meaning), in display order.
VERDICTS = {
    "changed": ("~", "on both sides, but different"),
    "removed": ("-", "on the left only"),
    "added": ("+", "on the right only"),
    "create": ("+", "will be created"),
    "update": ("~", "will be changed"),
    "conflict": ("!", "was changed by others, and stays as it is"),
    "delete": ("-", "will be deleted"),
    "adopt": ("=", "is on the target already, and is used as it is"),
    "blocked": ("!", "cannot be created on the target"),
    "lost": ("x", "will not be on the target"),
    "adapted": ("~", "arrives in another form, or stays in the archive"),
    "missing": ("-", "is not on the target"),
    "differs": ("~", "is on the target, but differs from the plan"),
    "stray": ("+", "is on the target, but should not be"),
    "wrong": ("!", "is on the target, but cannot be used"),
}

# Severities of an item. `error` and `warning` need action; `notice` is only shown; plan actions have none.
SEVERITIES = ("error", "warning", "notice", "")


@dataclass(frozen=True)
class ItemDetail:
    """One statement about an object: the path, both values (None: absent), the reason, what you can do."""

    path: str
    left: JSON = None
    right: JSON = None
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class ReportItem:
    """One object, with all details of one verdict.

    `parent`: id of the thread or store that it belongs to, on the right where it is there; `left_parent`: on
    the left. `since`: when it began, according to the snapshots (ISO 8601), or ''. `note`: a few words beside
    its name, such as how two objects were paired.
    """

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
    left_parent: str = ""

    @property
    def needs_action(self) -> bool:
        """Whether the user has to do something about it."""
        return self.severity in ("error", "warning")


@dataclass(frozen=True)
class ObjectCounts:
    """Numbers by kind of object: the column heads, and a row for each kind. `of`: what is counted."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[int, ...]], ...] = ()
    of: str = "objects"


@dataclass(frozen=True)
class ReportTable:
    """A further table of a report: its title, column heads, and rows of short texts of this program."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ReportEnding:
    """A model that ends and an assistant that uses it, a service that ends, or models of which nothing is
    known.

    `place`: the estate, '' where only one is meant. `what`: the model, the service, or the unknown models.
    `users`: name and id of the assistant. `ends_on`: ISO date, '' where it is not known. `when`: the days
    until then in words, or why nothing is known. `basis` and `source`: why the date holds. `remedy`: what
    settles it."""

    place: str
    what: str
    users: str
    ends_on: str
    when: str
    basis: str = ""
    source: str = ""
    remedy: str = ""

    @property
    def sentence(self) -> str:
        """What ends, when, and who uses it."""
        place = f"{self.place}: " if self.place else ""
        if not self.ends_on:
            return f"{place}not known when these models end: {self.what}: {self.when}"
        users = f": assistant {self.users}" if self.users else ""
        return f"{place}{self.what} ends on {self.ends_on}, {self.when}{users}"


@dataclass(frozen=True)
class Report:
    """The result of one command.

    `title`: its first line. `last_line`: its result, a headline and more, separated by a semicolon.
    `summary`: its numbers. `ignored`: how many differences each rule removed. `expired`: rules that no longer
    apply. `gaps`: what could not be read. `left_out`: what was not compared on purpose. `pictures`: (label,
    diagram) of each estate, for HTML. `all_objects`: text and Markdown list every object of a loss, not one
    line for all of them. `tables`: further tables, below the numbers by kind. `endings`: what
    ends, on each estate the earliest first. `made_at`: ISO 8601. `version`: of this program.
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
    ignored: tuple[IgnoreCount, ...] = ()
    expired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    pictures: tuple[tuple[str, Diagram], ...] = ()
    made_at: str = ""
    version: str = ""
    all_objects: bool = False
    tables: tuple[ReportTable, ...] = ()
    endings: tuple[ReportEnding, ...] = ()

    @property
    def result(self) -> str:
        """`clear`, `open` (something needs action) or `incomplete` (not everything could be read)."""
        return "incomplete" if self.gaps and self.command == "diff" else "clear" if self.ok else "open"

    @property
    def gaps_title(self) -> str:
        """What to call `gaps`."""
        return "Not compared" if self.command == "diff" else "Not in the snapshot"


@dataclass(frozen=True)
class ListOptions:
    """Options of a command. `report`: it writes its report to a file. `every_object`: lists every object of a
    loss. '' where the command has none."""

    report: str = ""
    every_object: str = ""

    def in_file(self, *endings: str) -> str:
        """How to get the whole report: in a file of a format, or as JSON."""
        return ", ".join(f"{self.report} report.{ending}" for ending in endings) if self.report else "--json"

    @property
    def whole_list(self) -> str:
        """How to get a list that is cut."""
        return self.every_object or self.in_file("html")


# Command -> its options. A hint in a report may only use an option that the command has.
LIST_OPTIONS = {
    "doctor": ListOptions(),
    "diff": ListOptions("-o"),
    "assess": ListOptions("-o", "--all"),
    "plan": ListOptions("--report", "--all"),
    "apply": ListOptions(),
    "verify": ListOptions("-o"),
    "sync": ListOptions("", "--all"),
    "restore": ListOptions("", "--all"),
    "drill": ListOptions("-o", "--all"),
}

# Titles of reports and their results in Markdown and HTML.
REPORT_TITLES = {
    "diff": "Drift",
    "assess": "Assessment",
    "plan": "Plan",
    "verify": "Verification",
    "drill": "Recovery drill",
}
RESULT_TITLES = {
    "clear": "Nothing to act on",
    "open": "To act on",
    "incomplete": "Not everything could be read",
}
# What `endings` of a report are called.
ENDINGS_TITLE = "What ends"
# Columns of `ObjectCounts` that say how many objects of a kind were checked.
TOTAL_COLUMNS = ("compared", "checked")


def sort_items(items: list[ReportItem]) -> tuple[ReportItem, ...]:
    """Items by section, then severity, then verdict; a stable sort."""
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
