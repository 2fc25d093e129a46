"""What the journal of an archive knows of a target, in the form in which planning needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from migrate.archive import id_map
from migrate.archive.connections import SqlConnection
from migrate.archive.id_map import Side
from migrate.model import EntityKey
from migrate.model.results.archive import IdMapping
from migrate.stages.estate import Estate
from migrate.stages.match.lineage import Lineage, LineageNode


@dataclass(frozen=True)
class ArrivedMessage:
    """A message on the target that the journal knows: its id there, and its fingerprint as it was left ('' if
    unknown)."""

    id: str
    fingerprint: str = ""


def _no_arrived_messages(thread: str, target_thread: str) -> Mapping[str, ArrivedMessage]:
    return {}


def _no_thread_ids(thread: str) -> Sequence[str]:
    return ()


def _no_message_origins(thread: str, target_thread: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class JournalState:
    """What the journal knows of the target. Keys (kind, id) and ids are of the source unless noted."""

    target: Side | None = None
    # Kind, parent and id on the source, id on the target: the rows of the id map.
    id_map_rows: frozenset[tuple[str, str, str, str]] = frozenset()
    # (kind, target id) -> source id, of objects that this program created.
    created: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # (kind, source id) -> target id, of all but messages, as far as the journal can be trusted.
    trusted_ids: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # (kind, source id) -> target id, of assistants that may have been replaced by others of the same name.
    unproven_matches: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # (kind, source id) -> why it has no certain counterpart, and what the user can do.
    ambiguous_matches: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    # Key on the source -> fingerprint of what the last apply left, or found, on the target.
    fingerprints: Mapping[EntityKey, str] = field(default_factory=dict)
    # (kind, id) of files and stores that were created from others and that both sides show under this id.
    shared_copies: frozenset[tuple[str, str]] = frozenset()
    # (kind, source id) -> target id of the original, of files and stores that are second copies of an object
    # of the target: nothing is created for them, and references to them become references to the original.
    second_copies: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # (store, file) on the target -> id on the source, of files that this program put into a store.
    created_store_files: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # Thread on the source and its counterpart -> id of each message that was created from one of the
    # counterpart -> id of that one.
    message_origins: Callable[[str, str], Mapping[str, str]] = _no_message_origins
    # Thread on the source and its counterpart -> its messages that arrived, by source id. There may be a
    # million of them in all, so they are read for one thread at a time.
    arrived_messages: Callable[[str, str], Mapping[str, ArrivedMessage]] = _no_arrived_messages
    # (kind, source id) -> ids that the object had on the target and that the target no longer shows.
    former_ids: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    # Thread on the source -> ids that it may have on the target, the likeliest first.
    thread_ids: Callable[[str], Sequence[str]] = _no_thread_ids


def read_journal_state(
    source: Estate,
    target: Side,
    lines: list[IdMapping],
    trusted: Mapping[tuple[str, str], str],
    lineage: Lineage,
) -> JournalState:
    """Read what the source's archive knows of a target.

    `lines`: rows of the id map. `trusted`: (kind, source id) -> target id of the rows whose object on the
    target is still the one that was written."""
    sides = source.journal, source.side, target
    by_source = {(line.kind, line.source_id): line.target_id for line in lines}

    def arrived_messages(thread: str, target_thread: str) -> dict[str, ArrivedMessage]:
        nodes = (
            LineageNode.from_side("thread", side, id_)
            for side, id_ in ((target, target_thread), (source.side, thread))
        )
        path = lineage.path(*nodes)[::-1] if target_thread != thread else []
        if len(path) < 3:
            return _arrived_messages(*sides, thread, target_thread)
        found: dict[str, ArrivedMessage] | None = None
        for origin, created in pairwise(path):  # each thread was created from the one before
            here, there = (Side(node.service_type, node.url) for node in (origin, created))
            step = _arrived_messages(source.journal, here, there, origin.id, created.id)
            found = (
                step if found is None else {id_: step[via.id] for id_, via in found.items() if via.id in step}
            )
        return found or {}

    return JournalState(
        target=target,
        id_map_rows=frozenset(
            (line.kind, line.source_parent, line.source_id, line.target_id) for line in lines
        ),
        created=id_map.created_source_ids(*sides),
        trusted_ids=trusted,
        unproven_matches={
            key: new for key, new in by_source.items() if key[0] == "assistant" and key not in trusted
        },
        fingerprints={
            (line.kind, line.source_parent, line.source_id): line.written for line in lines if line.written
        },
        created_store_files=id_map.created_store_file_ids(*sides),
        arrived_messages=arrived_messages,
    )


def _arrived_messages(
    conn: SqlConnection, source: Side, target: Side, thread: str, target_thread: str
) -> dict[str, ArrivedMessage]:
    """The messages that one move wrote to, or found in, a thread of the target, by source id."""
    rows = id_map.arrived_messages(conn, source, target, thread, target_thread)
    return {source_id: ArrivedMessage(target_id, mark) for source_id, target_id, mark in rows}
