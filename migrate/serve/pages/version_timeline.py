"""The versions of an object over all snapshots of its estate, with the words that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migrate.model import JSON
from migrate.model.object_diff import FieldDifference
from migrate.model.results.query import HistoryEvent, ObjectHistory
from migrate.reports.commands.diff import masked_values
from migrate.reports.report import ItemDetail
from migrate.reports.values import brief, count_words, is_word_diff, json_value
from migrate.reports.word_diff import DiffPiece, fold_unchanged, hidden_label, word_diff
from migrate.serve.page_request import PageRequest
from migrate.stages.query.history import object_histories

# Events whose differences are computed, the newest ones; of older ones only the paths are listed.
MAX_DETAILED_EVENTS = 30
# Texts that are compared word by word, and characters of a value that was not.
MAX_COMPARED_CHARS, MAX_BRIEF_VALUE_CHARS = 400_000, 2_000


@dataclass(frozen=True)
class FieldVersion:
    """One field that changed: the pieces of its text, or both values; neither for an old event. `counts`: how
    many words were removed and added."""

    path: str
    pieces: tuple[DiffPiece, ...] = ()
    counts: str = ""
    left: str | None = None
    right: str | None = None


@dataclass(frozen=True)
class TimelineEvent:
    """What happened to an object in one snapshot. `facts`: changes that the service made."""

    event: HistoryEvent
    fields: tuple[FieldVersion, ...]
    facts: tuple[FieldVersion, ...]


@dataclass(frozen=True)
class Timeline:
    """The history of an object on its estate, the newest event first."""

    history: ObjectHistory
    events: tuple[TimelineEvent, ...]


def read_timeline(request: PageRequest, kind: str, object_id: str) -> Timeline | None:
    """The timeline of an object of the estate of a snapshot; None where nothing is known of it."""
    info = request.snapshot.info
    for history in object_histories(request.snapshot.conn, object_id):
        if (history.type, history.url, history.kind) == (info.type, info.url, kind):
            return Timeline(history, tuple(_events(reversed(history.events))))
    return None


def _events(events: Iterable[HistoryEvent]) -> Iterator[TimelineEvent]:
    for number, event in enumerate(events):
        is_detailed = number < MAX_DETAILED_EVENTS
        fields, facts = (
            tuple(_field(path, is_detailed) for path in paths) for paths in (event.paths, event.facts)
        )
        yield TimelineEvent(event, fields, facts)


def _field(difference: FieldDifference, is_detailed: bool) -> FieldVersion:
    values = masked_values(difference)
    if not is_detailed:
        return FieldVersion(values["path"])
    return field_version(values["path"], values["left"], values["right"])


def field_version(path: str, left: JSON, right: JSON) -> FieldVersion:
    """Both values of a field for a page; None where a side does not have it. They are masked before."""
    if is_word_diff(ItemDetail(path, left, right)) and len(left) + len(right) <= MAX_COMPARED_CHARS:
        pieces = word_diff(left, right)
        shown = tuple(
            (kind, hidden_label(text) if kind == "hidden" else text) for kind, text in fold_unchanged(pieces)
        )
        return FieldVersion(path, shown, count_words(pieces))
    was, now = (
        None if value is None else brief(json_value(value), MAX_BRIEF_VALUE_CHARS) for value in (left, right)
    )
    return FieldVersion(path, left=was, right=now)
