"""Join the shards with one tag into one snapshot.

First the rows of snapshots show which shards belong together (in the code: one reading). Then the listings of
each shard are copied, and one list of all threads is written: every shard has only its own threads, so the
list is all of them, oldest first, and by id where two were created in the same second.

A joined snapshot stores its parts, so it can be joined again: with a shard that was missing, or with a better
reading of one. Of two readings of one shard the better one is used, whatever the order of joining.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from migrate.archive.hashes import snapshot_digest
from migrate.archive.merge.copy import MERGE_BATCH_ROWS, MISSING_COLUMNS, Copier
from migrate.archive.snapshots.listings import ListingKey, ManifestWriter, insert_listing, read_listing
from migrate.model import JSON, KINDS
from migrate.model.input_limits import loads
from migrate.model.shard import FIRST_SHARD, Shard, is_sharded, shard_reading

# Numbers of missing shards that a reason lists.
MAX_SHARDS_IN_REASON = 20

# Equal for copies of one snapshot in several archives.
SnapshotKey: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class SnapshotRow:
    """A row of the snapshots of an archive. `source` is the number of the archive."""

    source: int
    id: int
    type: str
    url: str
    tag: str
    state: str
    started_at: str
    finished_at: str
    api_version: str
    tool_version: str
    options: str
    digest: str
    bodies_added: int
    bytes_added: int
    thread_state: str
    thread_reason: str

    @property
    def parsed_options(self) -> dict[str, JSON]:
        """The options of the snapshot."""
        options: dict[str, JSON] = json.loads(self.options)
        return options

    @property
    def key(self) -> SnapshotKey:
        """Equal for rows that are copies of one snapshot."""
        if is_joined_snapshot(self):
            return self.type, self.url, self.tag, self.options
        return (
            self.type, self.url, self.tag, self.options, self.digest, self.state, self.started_at,
            self.finished_at, self.api_version, self.tool_version,
        )  # fmt: skip

    @property
    def start_key(self) -> SnapshotKey:
        """Equal for rows of one reading, whether it was finished or interrupted."""
        return self.type, self.url, self.started_at, self.options


@dataclass(frozen=True)
class ShardPart:
    """One shard that is, or may become, part of a joined snapshot."""

    state: str
    started_at: str
    finished_at: str
    digest: str
    api_version: str
    tool_version: str
    bodies_added: int
    bytes_added: int
    thread_state: str
    thread_reason: str

    @property
    def rank(self) -> tuple[str, ...]:
        """Of two readings the complete one is better, then the newer one."""
        return ("1" if self.state == "complete" else "0", *map(str, asdict(self).values()))


@dataclass(frozen=True)
class ShardPlace:
    """Where the best reading of a shard is: archive and snapshot."""

    source: int
    snapshot: int
    part: ShardPart


@dataclass(frozen=True)
class ShardedReading:
    """All available shards of one reading, by number. `common_options`: JSON of the options of every
    shard."""

    type: str
    url: str
    tag: str
    shard_count: int
    common_options: str
    places: Mapping[int, ShardPlace] = field(default_factory=dict)

    @property
    def key(self) -> SnapshotKey:
        """Equal to the key of the snapshot that was joined from the same parts."""
        return self.type, self.url, self.tag, self.options

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of shards that are not available."""
        return tuple(n for n in range(1, self.shard_count + 1) if n not in self.places)

    @property
    def state(self) -> str:
        """Complete when all shards are available, and each is complete."""
        complete = not self.missing and all(part.state == "complete" for part in self.parts)
        return "complete" if complete else "partial"

    @property
    def parts(self) -> list[ShardPart]:
        """The available shards, in the order of their numbers."""
        return [place.part for _, place in sorted(self.places.items())]

    @property
    def started_at(self) -> str:
        return min(part.started_at for part in self.parts)

    @property
    def finished_at(self) -> str:
        return max(part.finished_at for part in self.parts)

    @property
    def api_version(self) -> str:
        return self._newest.api_version

    @property
    def tool_version(self) -> str:
        return self._newest.tool_version

    @property
    def bodies_added(self) -> int:
        return sum(part.bodies_added for part in self.parts)

    @property
    def bytes_added(self) -> int:
        return sum(part.bytes_added for part in self.parts)

    @property
    def _newest(self) -> ShardPart:
        return max(self.parts, key=lambda part: (part.started_at, part.rank))

    @property
    def options(self) -> str:
        """The options as the joined snapshot stores them."""
        parts = {str(number): asdict(place.part) for number, place in sorted(self.places.items())}
        joined = {"of": self.shard_count, "parts": parts}
        return json.dumps({**json.loads(self.common_options), "joined": joined}, sort_keys=True)


# Type, address, tag, number of shards and common options of a reading.
ReadingKey: TypeAlias = tuple[str, str, str, int, str]


def sharded_readings(rows: Iterable[SnapshotRow]) -> list[ShardedReading]:
    """Every reading of which a finished shard is available, in a fixed order."""
    readings: dict[ReadingKey, dict[int, ShardPlace]] = {}
    for row in sorted(rows, key=lambda row: (row.source, row.id)):
        for key, number, part in _parts(row):
            places = readings.setdefault(key, {})
            if number not in places or part.rank > places[number].part.rank:
                places[number] = ShardPlace(row.source, row.id, part)
    return [ShardedReading(*key, places) for key, places in sorted(readings.items())]


def is_shard_snapshot(row: SnapshotRow) -> bool:
    """Whether a snapshot is one shard of a reading that has a tag."""
    return "shard" in row.parsed_options and bool(row.tag)


def is_joined_snapshot(row: SnapshotRow) -> bool:
    """Whether a snapshot was joined from shards."""
    return "joined" in row.parsed_options


def _parts(row: SnapshotRow) -> Iterator[tuple[ReadingKey, int, ShardPart]]:
    options = row.parsed_options
    joined = options.pop("joined", None)
    shard = Shard.from_options(options)
    options.pop("shard", None)
    common_options = json.dumps(options, sort_keys=True)
    if joined:
        key = (row.type, row.url, row.tag, int(joined["of"]), common_options)
        yield from ((key, int(number), ShardPart(**part)) for number, part in joined["parts"].items())
    elif shard and row.tag and row.state != "reading":
        reason = row.thread_reason.removesuffix(shard.remark).removesuffix("; ")
        part = ShardPart(
            row.state, row.started_at, row.finished_at, row.digest, row.api_version, row.tool_version,
            row.bodies_added, row.bytes_added, row.thread_state, reason,
        )  # fmt: skip
        yield (row.type, row.url, row.tag, shard.total, common_options), shard.number, part


class ShardJoiner:
    """Writes one joined snapshot, archive by archive."""

    def __init__(self, conn: sqlite3.Connection, reading: ShardedReading, snapshot: int) -> None:
        self._conn, self._reading, self._snapshot = conn, reading, snapshot
        self._shown: dict[str, dict[str, list[str]]] = {"granted": {}, "hidden": {}}
        self._models: dict[str, JSON] = {}
        conn.execute(
            "CREATE TEMP TABLE IF NOT EXISTS joined_threads "
            "(snapshot INTEGER, created REAL, object_id TEXT, sha BLOB, number INTEGER)"
        )

    def add_archive(self, source: int, copier: Copier) -> None:
        """Copy the shards that are in one archive."""
        shards: dict[int, set[int]] = {}
        for number, place in self._reading.places.items():
            if place.source == source:
                shards.setdefault(place.snapshot, set()).add(number)
        for snapshot, numbers in shards.items():
            self._add_snapshot(copier, snapshot, numbers)

    def _add_snapshot(self, copier: Copier, snapshot: int, numbers: set[int]) -> None:
        row = copier.source.execute("SELECT digest FROM snapshots WHERE id = ?", (snapshot,)).fetchone()
        copier.check_digest(copier.source, snapshot, snapshot, row[0])

        def in_shards(kind: str, parent: str, id_: str = "") -> bool:
            return shard_reading(kind, parent, id_, self._reading.shard_count) in numbers

        # The list of threads is written by `finish`, and so is what could not be read of it.
        copier.copy_listings(
            snapshot, self._snapshot, lambda kind, parent: kind != "thread" and in_shards(kind, parent)
        )
        copier.copy_missing(
            snapshot,
            self._snapshot,
            lambda kind, parent, id_: (kind, id_) != ("thread", "*") and in_shards(kind, parent, id_),
        )
        shown = json.loads(copier.read_shown(snapshot) or "{}")
        self._add_shown(shown)
        self._models |= shown.get("models") or {}
        threads = read_listing(copier.source, ListingKey(snapshot, "thread"))
        if threads is None or threads.sha is None:
            return
        for kind, bodies in copier.read_bodies(threads.manifest, threads.sha):
            selected = [body for body in bodies if in_shards("thread", "", body.object_id)]
            self._conn.executemany(
                "INSERT INTO joined_threads VALUES (?, ?, ?, ?, ?)",
                [
                    (self._snapshot, _created_at(body.body), body.object_id, body.sha, number)
                    for body, number in zip(selected, copier.copy_bodies(kind, selected), strict=True)
                ],
            )

    def _add_shown(self, shown: dict[str, dict[str, list[str]]]) -> None:
        """Optional fields of a kind count as granted where they were granted to every shard, and as hidden
        where they were refused to one."""
        granted, hidden = self._shown["granted"], self._shown["hidden"]
        for kind, values in (shown.get("granted") or {}).items():
            granted[kind] = [value for value in granted.get(kind, values) if value in values]
        for kind, values in (shown.get("hidden") or {}).items():
            hidden[kind] = list(dict.fromkeys([*hidden.get(kind, ()), *values]))

    def finish(self) -> None:
        """Write the list of threads, what is missing, and the fingerprint."""
        state, reason = self._thread_state()
        if state:
            key = ListingKey(self._snapshot, "thread")
            insert_listing(self._conn, key, self._write_threads(), state, reason or None)
        for kind, why in self._unread_kinds(state, reason):
            self._conn.execute(
                f"INSERT OR REPLACE INTO missing (snapshot_id, {MISSING_COLUMNS}) "
                "VALUES (?, ?, '', '*', NULL, ?, 0)",
                (self._snapshot, kind, why),
            )
        self._conn.execute("DELETE FROM joined_threads WHERE snapshot = ?", (self._snapshot,))
        digest = snapshot_digest(self._conn, self._snapshot)
        models = {"models": dict(sorted(self._models.items()))} if self._models else {}
        is_empty = not (models or any(self._shown.values()))
        row = (digest, None if is_empty else json.dumps({**self._shown, **models}), self._snapshot)
        self._conn.execute("UPDATE snapshots SET digest = ?, shown = ? WHERE id = ?", row)

    def _thread_state(self) -> tuple[str, str]:
        """State and reason of the list of all threads; '' where no shard read it."""
        parts = self._reading.parts
        reasons = list(dict.fromkeys(part.thread_reason for part in parts if part.thread_reason))
        states = {part.thread_state for part in parts}
        reasons += [self._missing_shards_reason] if self._reading.missing else []
        if states == {""} and not self._reading.missing:
            return "", ""
        failed = self._reading.missing or states - {"complete"}
        return "failed" if failed else "complete", "; ".join(reasons)

    @property
    def _missing_shards_reason(self) -> str:
        numbers = self._reading.missing
        more = ", ..." if len(numbers) > MAX_SHARDS_IN_REASON else ""
        shown = ", ".join(map(str, numbers[:MAX_SHARDS_IN_REASON])) + more
        return f"not merged: shard {shown} of {self._reading.shard_count} ({self._reading.tag})"

    def _unread_kinds(self, state: str, reason: str) -> Iterator[tuple[str, str]]:
        """Kinds whose list is not complete, and why. Where the first shard is missing, which reads all kinds
        that are not sharded, each of these gets an empty listing with the reason."""
        if state == "failed":
            yield "thread", reason
        if FIRST_SHARD not in self._reading.missing:
            return
        rules = json.loads(self._reading.common_options).get("exclude") or ()
        excluded = [kind for kind, pattern, *_ in rules if pattern == "*"]
        for name, kind in KINDS.items():
            if not is_sharded(name) and not kind.parent and name not in excluded:
                key, empty = ListingKey(self._snapshot, name), ManifestWriter.empty(self._conn)
                insert_listing(self._conn, key, empty, "failed", self._missing_shards_reason)
                yield name, self._missing_shards_reason

    def _write_threads(self) -> int:
        writer = ManifestWriter.create(self._conn)
        rows = self._conn.execute(
            "SELECT sha, number FROM joined_threads WHERE snapshot = ? "
            "ORDER BY created IS NULL, created, object_id, sha",
            (self._snapshot,),
        )
        while batch := rows.fetchmany(MERGE_BATCH_ROWS):
            writer.add([sha for sha, _ in batch], [number for _, number in batch])
        return writer.seal()


def _created_at(body: bytes) -> float | None:
    created = loads(body.decode()).get("created_at")
    return float(created) if isinstance(created, (int, float)) and not isinstance(created, bool) else None
