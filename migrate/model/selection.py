"""What a command works on: rules by kind and name, ids, dates and metadata.

One grammar for every command that selects. `--include` rules and ids are united; `--exclude` rules are taken
away; dates and metadata narrow the kinds that have them. Which objects that is, in an estate, is decided in
`migrate/stages/selection.py`.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatchcase

from migrate.errors import BadUsage
from migrate.model import JSON, KINDS

# Kind and pattern, as in `assistant:support*`.
Rule = tuple[str, str]

# Kinds that can be selected. Everything else belongs to one of them: messages and runs to a thread, rows of a
# store to the store.
SELECTABLE_KINDS = ("file", "vector_store", "assistant", "thread")
# Kinds that dates narrow, and kinds that metadata narrows: other kinds have neither.
DATED_KINDS = frozenset({"thread"})
METADATA_KINDS = frozenset({"vector_store", "assistant", "thread"})
# Why an object may exist that a filtered snapshot does not have.
FILTERED_REASON = "filtered by --include or --exclude"
SELECTED_REASON = "the snapshot has only what was selected"


@dataclass(frozen=True)
class Selection:
    """What the user asked for. Everything is selected where nothing is given.

    `after` and `before` are seconds since 1970: a thread is selected when its newest message is not older
    than `after` and older than `before`. `meta` holds pairs of a metadata key and a pattern for its value,
    which must all fit. `dependencies`: what a selected object needs is selected as well.
    `other_kinds_whole`: kinds without an `--include` rule are selected whole, as `snapshot` and `export`
    always did.
    """

    include: tuple[Rule, ...] = ()
    ids: tuple[str, ...] = ()
    exclude: tuple[Rule, ...] = ()
    after: int | None = None
    before: int | None = None
    meta: tuple[tuple[str, str], ...] = ()
    dependencies: bool = True
    other_kinds_whole: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it selects every object of an estate."""
        return not (self.include or self.ids or self.exclude or self.has_dates or self.meta)

    @property
    def has_only_rules(self) -> bool:
        """Whether nothing but rules by kind and name selects, as `snapshot` and `export` always had them."""
        return not (self.ids or self.has_dates or self.meta)

    @property
    def has_dates(self) -> bool:
        """Whether a date narrows it."""
        return self.after is not None or self.before is not None

    def narrowed_kinds(self) -> Collection[str]:
        """Kinds of which objects are selected although no rule and no id refers to them: those that have what
        narrows the selection, or all where nothing does. None where rules or ids say what is selected."""
        if (self.include and not self.other_kinds_whole) or self.ids:
            return ()
        kinds = set(SELECTABLE_KINDS)
        if self.other_kinds_whole:
            kinds -= {kind for kind, _ in self.include}
        if self.has_dates:
            kinds &= DATED_KINDS
        if self.meta:
            kinds &= METADATA_KINDS
        return kinds

    def searched_kinds(self) -> Set[str]:
        """Kinds of which a list must be searched to know what is selected: none of a kind of which only ids
        were given."""
        return {*self.narrowed_kinds(), *(kind for kind, _ in self.include)}

    def needed_lists(self) -> Set[str]:
        """Kinds whose list must have been read to its end, or selected objects may be missing in it."""
        return self.searched_kinds() - {kind for kind, pattern in self.exclude if pattern == "*"}

    def fits_metadata(self, metadata: Mapping[str, object]) -> bool:
        """Whether an object with this metadata has a matching value for every key that was given."""
        return all(key in metadata and fnmatchcase(str(metadata[key]), pattern) for key, pattern in self.meta)

    def fits_dates(self, seconds: float | None) -> bool:
        """Whether a time is between the dates. An unknown time does not."""
        if not self.has_dates:
            return True
        if seconds is None:
            return False
        is_late_enough = self.after is None or seconds >= self.after
        return is_late_enough and (self.before is None or seconds < self.before)

    def options(self) -> list[str]:
        """It as options of the command line, for a message or a report."""
        dates = (("--after", self.after), ("--before", self.before))
        return [
            *(f"--include {_quoted(f'{kind}:{pattern}')}" for kind, pattern in self.include),
            *(f"--id {_quoted(id_)}" for id_ in self.ids),
            *(f"--exclude {_quoted(f'{kind}:{pattern}')}" for kind, pattern in self.exclude),
            *(f"{name} {_iso(seconds)}" for name, seconds in dates if seconds is not None),
            *(f"--meta {_quoted(f'{key}={pattern}')}" for key, pattern in self.meta),
            *(() if self.dependencies else ("--no-dependencies",)),
        ]


def parse_selection(
    include: Iterable[str] = (),
    ids: Iterable[str] = (),
    exclude: Iterable[str] = (),
    after: str | None = None,
    before: str | None = None,
    meta: Iterable[str] = (),
    dependencies: bool = True,
    other_kinds_whole: bool = False,
) -> Selection:
    """A selection from the texts of the command line. Raises `BadUsage` for a rule without a kind that can be
    selected, a date that is none, dates that exclude each other, and metadata without `=`."""
    first, last = (_date(name, text) for name, text in (("--after", after), ("--before", before)))
    if first is not None and last is not None and first >= last:
        raise BadUsage(
            f"--after {after} is not earlier than --before {before}",
            "there is no time between them",
            "give --after the earlier date",
        )
    return Selection(
        include=tuple(_rule("--include", text) for text in include),
        ids=tuple(dict.fromkeys(ids)),
        exclude=tuple(_rule("--exclude", text) for text in exclude),
        after=first,
        before=last,
        meta=tuple(map(_pair, meta)),
        dependencies=dependencies,
        other_kinds_whole=other_kinds_whole,
    )


def not_narrowed_notes(selection: Selection, kinds: Collection[str]) -> tuple[str, ...]:
    """A sentence for each option that does not narrow some of the selected `kinds`, because they do not have
    what it looks at."""
    options = (
        ("--after and --before", selection.has_dates, DATED_KINDS, "time of a newest message"),
        ("--meta", bool(selection.meta), METADATA_KINDS, "metadata"),
    )
    rows = (
        (option, what, [KINDS[kind].plural for kind in SELECTABLE_KINDS if kind in kinds and kind not in has])
        for option, is_given, has, what in options
        if is_given
    )
    return tuple(
        f"{option} had no effect on the selected {' and '.join(names)}: these have no {what}"
        for option, what, names in rows
        if names
    )


def filter_reason(options: Mapping[str, JSON], kind: str) -> str:
    """Why a snapshot has only some objects of a kind although its listing was read, or ''. `options`: as they
    are stored with the snapshot, with rules in `include` and `exclude`, and what else selects in
    `selection`."""
    if options.get("selection") and kind in SELECTABLE_KINDS:
        return SELECTED_REASON
    rules = [rule for name in ("include", "exclude") for rule in options.get(name) or ()]
    return FILTERED_REASON if any(rule[0] == kind for rule in rules) else ""


def _rule(option: str, text: str) -> Rule:
    kind, _, pattern = text.partition(":")
    if kind in SELECTABLE_KINDS:
        return kind, pattern or "*"
    if kind in KINDS:
        owner = KINDS[kind].parent
        raise BadUsage(
            f"{option} {text}: objects of kind {kind} are not selected by themselves",
            f"they belong to a {owner}" if owner else "",
            f"select the {owner}: {option} {owner}:GLOB" if owner else "",
        )
    raise BadUsage(
        f"{option} {text}: there is no kind {kind!r}",
        f"kinds are {', '.join(SELECTABLE_KINDS)}",
        f"write {option} KIND:GLOB",
    )


def _pair(text: str) -> tuple[str, str]:
    key, equals, pattern = text.partition("=")
    if not equals or not key:
        raise BadUsage(
            f"--meta {text}: a key and a pattern are needed",
            "metadata are pairs of a key and a value",
            "write --meta KEY=GLOB, as in --meta user=4711",
        )
    return key, pattern


def seconds_of_date(text: str) -> int:
    """Seconds since 1970 of a date in ISO 8601. A date without a time means its first second, one without an
    offset is in UTC. Raises `ValueError` for anything else."""
    # Python 3.10 does not know the Z of ISO 8601.
    found = datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in ("z", "Z") else text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone.utc)
    try:
        seconds = int(found.timestamp())
        _iso(seconds)  # an offset may lead out of the calendar, where no message could show the date
    except OverflowError as error:
        raise ValueError(str(error)) from None
    return seconds


def _date(option: str, text: str | None) -> int | None:
    """Seconds since 1970, None where no date is given. An empty text is no date: often a variable of a script
    that was not set, and without the date everything would be selected."""
    if text is None:
        return None
    try:
        return seconds_of_date(text)
    except ValueError:
        raise BadUsage(
            f"{option} {text or repr('')}: this is not a date",
            "dates are written as in ISO 8601",
            f"write {option} 2026-08-26 or {option} 2026-08-26T12:00:00Z",
        ) from None


def _quoted(text: str) -> str:
    """A value of an option as it is typed in a shell; patterns without spaces stay readable."""
    return shlex.quote(text) if any(character.isspace() for character in text) else text


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
