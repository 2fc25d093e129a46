"""What the journal knows of a target, as planning asks for it, and what it cannot vouch for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migrate.archive import id_map
from migrate.archive.id_map import Side
from migrate.model import EntityKey
from migrate.model.object_diff import FieldDifference
from migrate.model.results.archive import IdMapping
from migrate.stages.estate import Estate


@dataclass(frozen=True)
class ArrivedMessage:
    """A message on the target that the journal knows: its id there, and how it was left, '' where unknown."""

    id: str
    mark: str = ""


def _none_arrived(thread: str) -> Mapping[str, ArrivedMessage]:
    return {}


@dataclass(frozen=True)
class JournalState:
    """What the journal knows of the target. `noted`: (kind, parent and id on the source, target id) in the id
    map; `created_source_ids`: of those that we made ourselves, the id on the source."""

    noted: frozenset[tuple[str, str, str, str]] = frozenset()
    target: Side | None = None
    made: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unproven_matches: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(kind, source id) -> target id of assistants of which nobody can say whether they are still ours."""
    written: Mapping[EntityKey, str] = field(default_factory=dict)
    """Key on the source -> fingerprint of what we left, or found, on the target."""
    copies: frozenset[tuple[str, str]] = frozenset()
    """(kind, id) of files and stores that were made from others and that the target shows under this id."""
    further: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(kind, id) of files and stores of the source that are second copies of one origin -> id of the origin,
    which stands on the target: nothing is made for them, and what names them names the origin."""
    origins: Callable[[str, str], Mapping[str, str]] = lambda thread, there: {}
    """Asked with a thread of the source and its counterpart: id of each message that was made from one there
    -> the id of that one."""
    ambiguous_matches: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """(kind, source id) -> why nobody can say which object of the target it is, and the way out."""
    lines: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(kind, source id) -> target id of all but messages, as far as the journal can be trusted."""
    rows: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(store, file) on the target -> id on the source of the row that we made there."""
    arrived: Callable[[str], Mapping[str, ArrivedMessage]] = _none_arrived
    """Thread on the source -> its messages that arrived, by their id on the source. There may be a million in
    all, so it is asked for one thread at a time."""


@dataclass(frozen=True)
class Conflict:
    """An object that others changed on the target, where the source has it otherwise."""

    kind: str
    id: str
    target_id: str
    name: str
    paths: tuple[FieldDifference, ...]
    by_other_tool: bool = False
    """Whether another tool made it from the object of the source, so that no move of ours left it."""


def read_journal_state(
    source: Estate, target: Side, lines: list[IdMapping], trusted: Mapping[tuple[str, str], str]
) -> JournalState:
    """What the archive's journal knows of a target. `lines`: of its id map; `trusted`: (kind, source id) ->
    target id of those whose object on the target still is what was left there."""
    ends = source.snapshot.conn, source.side, target
    by_source = {(line.kind, line.source_id): line.target_id for line in lines}

    def arrived(thread: str) -> dict[str, ArrivedMessage]:
        return {old: ArrivedMessage(new, mark) for old, new, mark in id_map.arrived_messages(*ends, thread)}

    return JournalState(
        noted=frozenset((line.kind, line.source_parent, line.source_id, line.target_id) for line in lines),
        target=target,
        made=id_map.created_source_ids(*ends),
        unproven_matches={
            key: new for key, new in by_source.items() if key[0] == "assistant" and key not in trusted
        },
        written={
            (line.kind, line.source_parent, line.source_id): line.written for line in lines if line.written
        },
        lines=trusted,
        rows=id_map.created_store_file_ids(*ends),
        arrived=arrived,
    )
