"""Find which snapshots of shards make up one snapshot. Only the rows of the snapshots are read.

A joined snapshot remembers its parts, so it can be joined again: with a shard that came later, or with a
better reading of one. Of two readings of one shard the better one counts, whatever the order of joining.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from migrate.archive.hashes import snapshot_digest
from migrate.archive.merge.copy import MERGE_BATCH_ROWS, Copier
from migrate.archive.snapshots.listings import ListingKey, ManifestWriter, insert_listing
from migrate.model import JSON, KINDS
from migrate.model.input_limits import loads
from migrate.model.shard import FIRST_SHARD, Shard, is_sharded, shard_reading

# The number of the archive that is merged into, beside those of its inputs.
TARGET_ARCHIVE = 0


# Equal for the same snapshot in several archives.
SnapshotKey: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class SnapshotRow:
    """A row of the snapshots of an archive; `source` says which archive."""

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
    def asked(self) -> dict[str, JSON]:
        """The options it was taken with."""
        found: dict[str, JSON] = json.loads(self.options)
        return found

    @property
    def key(self) -> SnapshotKey:
        """What two rows have in common that are copies of one snapshot."""
        if is_joined_snapshot(self):
            return self.type, self.url, self.tag, self.options
        return (
            self.type, self.url, self.tag, self.options, self.digest, self.state, self.started_at,
            self.finished_at, self.api_version, self.tool_version,
        )  # fmt: skip


@dataclass(frozen=True)
class ShardPart:
    """What is known of one shard that is, or may become, part of a joined snapshot."""

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
    def worth(self) -> tuple[str, ...]:
        """Of two readings the complete one counts, then the newer one."""
        return ("1" if self.state == "complete" else "0", *map(str, asdict(self).values()))


@dataclass(frozen=True)
class ShardPlace:
    """Where the best reading of a shard lies: archive and snapshot."""

    source: int
    snapshot: int
    part: ShardPart


@dataclass(frozen=True)
class ShardedReading:
    """All shards of one reading that are at hand, by number."""

    type: str
    url: str
    tag: str
    of: int
    rest: str
    """Options that every shard was asked with."""
    places: Mapping[int, ShardPlace] = field(default_factory=dict)

    @property
    def key(self) -> SnapshotKey:
        """What it has in common with the row of the snapshot that was joined from the same parts."""
        return self.type, self.url, self.tag, self.options

    @property
    def missing(self) -> tuple[int, ...]:
        """The shards that are not there."""
        return tuple(n for n in range(1, self.of + 1) if n not in self.places)

    @property
    def state(self) -> str:
        """Complete when all are there, and each is."""
        whole = not self.missing and all(p.part.state == "complete" for p in self.places.values())
        return "complete" if whole else "partial"

    @property
    def started_at(self) -> str:
        return min(place.part.started_at for place in self.places.values())

    @property
    def finished_at(self) -> str:
        return max(place.part.finished_at for place in self.places.values())

    @property
    def newest(self) -> ShardPart:
        """The part that was read last."""
        return max((place.part for place in self.places.values()), key=lambda p: (p.started_at, p.worth))

    @property
    def options(self) -> str:
        """As the joined snapshot keeps them."""
        parts = {str(number): asdict(place.part) for number, place in sorted(self.places.items())}
        asked = {**json.loads(self.rest), "joined": {"of": self.of, "parts": parts}}
        return json.dumps(asked, sort_keys=True)


def sharded_readings(lines: Iterable[SnapshotRow]) -> list[ShardedReading]:
    """Every reading of which a finished shard is at hand, in a fixed order."""
    groups: dict[tuple[str, str, str, int, str], dict[int, ShardPlace]] = {}
    for line in sorted(lines, key=lambda line: (line.source, line.id)):
        for key, number, part in _parts(line):
            held = groups.setdefault(key, {}).get(number)
            if held is None or part.worth > held.part.worth:
                groups[key][number] = ShardPlace(line.source, line.id, part)
    return [ShardedReading(*key, places) for key, places in sorted(groups.items())]


def is_shard_snapshot(line: SnapshotRow) -> bool:
    """Whether a snapshot is one shard of a reading that has a name."""
    return "shard" in line.asked and bool(line.tag)


def is_joined_snapshot(line: SnapshotRow) -> bool:
    """Whether a snapshot was made of shards."""
    return "joined" in line.asked


def _parts(line: SnapshotRow) -> Iterator[tuple[tuple[str, str, str, int, str], int, ShardPart]]:
    asked = line.asked
    joined = asked.pop("joined", None)
    shard = Shard.from_options(asked)
    asked.pop("shard", None)
    rest = json.dumps(asked, sort_keys=True)
    if joined:
        key = (line.type, line.url, line.tag, int(joined["of"]), rest)
        yield from ((key, int(number), ShardPart(**part)) for number, part in joined["parts"].items())
    elif shard and line.tag and line.state != "reading":
        reason = line.thread_reason.removesuffix(shard.remark).removesuffix("; ")
        part = ShardPart(
            line.state, line.started_at, line.finished_at, line.digest, line.api_version, line.tool_version,
            line.bodies_added, line.bytes_added, line.thread_state, reason,
        )  # fmt: skip
        yield (line.type, line.url, line.tag, shard.total, rest), shard.number, part


# Columns of what could not be read, as they are copied.
MISSING_COLUMNS = "kind, parent_id, object_id, name, reason, expected"


class ShardJoiner:
    """Puts one snapshot together, archive by archive."""

    def __init__(self, conn: sqlite3.Connection, reading: ShardedReading, snapshot: int) -> None:
        self._conn, self._reading, self._snapshot = conn, reading, snapshot
        self._shown: dict[str, dict[str, list[str]]] = {}
        conn.execute(
            "CREATE TEMP TABLE IF NOT EXISTS joined_threads "
            "(snapshot INTEGER, created REAL, object_id TEXT, sha BLOB, number INTEGER)"
        )

    def gather(self, source: int, copier: Copier) -> None:
        """Take what lies in one archive."""
        found: dict[int, set[int]] = {}
        for number, place in self._reading.places.items():
            if place.source == source:
                found.setdefault(place.snapshot, set()).add(number)
        for snapshot, numbers in found.items():
            self._take(copier, snapshot, numbers)

    def _take(self, copier: Copier, snapshot: int, numbers: set[int]) -> None:
        of = self._reading.of
        digest = copier.source.execute("SELECT digest FROM snapshots WHERE id = ?", (snapshot,)).fetchone()[0]
        if snapshot_digest(copier.source, snapshot) != digest:
            raise copier.damaged(f"snapshot {snapshot} does not agree with its fingerprint")

        def ours(kind: str, parent: str) -> bool:
            return kind != "thread" and shard_reading(kind, parent, "", of) in numbers

        copier.scopes(snapshot, self._snapshot, ours)
        (shown,) = copier.source.execute("SELECT shown FROM snapshots WHERE id = ?", (snapshot,)).fetchone()
        self._show(json.loads(shown) if shown else {})
        missing = copier.source.execute(
            f"SELECT {MISSING_COLUMNS} FROM missing WHERE snapshot_id = ?", (snapshot,)
        )
        self._conn.executemany(
            f"INSERT INTO missing (snapshot_id, {MISSING_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (self._snapshot, *row)
                for row in missing
                if row[0::2][:2] != ("thread", "*") and shard_reading(row[0], row[1], row[2], of) in numbers
            ],
        )
        self._take_threads(copier, snapshot, numbers)

    def _show(self, shown: dict[str, dict[str, list[str]]]) -> None:
        """What the service showed of each kind is what it showed every shard that read some of it; what it
        refused one of them is missing from the whole."""
        held = self._shown.setdefault("granted", {}), self._shown.setdefault("hidden", {})
        for kind, values in (shown.get("granted") or {}).items():
            held[0][kind] = [v for v in held[0].get(kind, values) if v in values]
        for kind, values in (shown.get("hidden") or {}).items():
            held[1][kind] = list(dict.fromkeys([*held[1].get(kind, ()), *values]))

    def _take_threads(self, copier: Copier, snapshot: int, numbers: set[int]) -> None:
        row = copier.source.execute(
            "SELECT s.manifest_id, m.sha FROM scopes s JOIN manifests m ON m.id = s.manifest_id "
            "WHERE s.snapshot_id = ? AND s.kind = 'thread' AND s.parent_id = ''",
            (snapshot,),
        ).fetchone()
        for kind, rows in copier.parts(*row) if row else ():
            kept = [
                row for row in rows if shard_reading("thread", "", row.object_id, self._reading.of) in numbers
            ]
            held = copier.bodies(kind, kept)
            self._conn.executemany(
                "INSERT INTO joined_threads VALUES (?, ?, ?, ?, ?)",
                [
                    (self._snapshot, _created(row.body), row.object_id, row.sha, number)
                    for row, number in zip(kept, held, strict=True)
                ],
            )

    def finish(self) -> None:
        """The list of threads, what is missing, and the fingerprint."""
        state, reason = self._threads_read()
        if state:
            insert_listing(
                self._conn,
                ListingKey(self._snapshot, "thread"),
                self._thread_listing(),
                state,
                reason or None,
            )
        for kind, why in self._unread(state, reason):
            self._conn.execute(
                f"INSERT OR REPLACE INTO missing (snapshot_id, {MISSING_COLUMNS}) "
                "VALUES (?, ?, '', '*', NULL, ?, 0)",
                (self._snapshot, kind, why),
            )
        self._conn.execute("DELETE FROM joined_threads WHERE snapshot = ?", (self._snapshot,))
        digest = snapshot_digest(self._conn, self._snapshot)
        shown = json.dumps(self._shown) if any(self._shown.values()) else None
        row = (digest, shown, self._snapshot)
        self._conn.execute("UPDATE snapshots SET digest = ?, shown = ? WHERE id = ?", row)

    def _threads_read(self) -> tuple[str, str]:
        """State and reason of the list of all threads."""
        parts = [place.part for _, place in sorted(self._reading.places.items())]
        reasons = list(dict.fromkeys(part.thread_reason for part in parts if part.thread_reason))
        states = {part.thread_state for part in parts}
        reasons += [self._lacking] if self._reading.missing else []
        if states == {""} and not self._reading.missing:
            return "", ""
        failed = self._reading.missing or states - {"complete"}
        return "failed" if failed else "complete", "; ".join(reasons)

    @property
    def _lacking(self) -> str:
        numbers = self._reading.missing
        shown = ", ".join(map(str, numbers[:20])) + (", ..." if len(numbers) > 20 else "")
        return f"not merged: shard {shown} of {self._reading.of} ({self._reading.tag})"

    def _unread(self, state: str, reason: str) -> Iterator[tuple[str, str]]:
        """Kinds whose list is not whole, and why; of those that the first shard reads, an empty list is
        kept, which says why."""
        if state == "failed":
            yield "thread", reason
        if FIRST_SHARD not in self._reading.missing:
            return
        excluded = [rule[0] for rule in json.loads(self._reading.rest).get("exclude") or () if rule[1] == "*"]
        for kind, form in KINDS.items():
            if not is_sharded(kind) and not form.parent and kind not in excluded:
                empty = ManifestWriter.empty(self._conn)
                insert_listing(self._conn, ListingKey(self._snapshot, kind), empty, "failed", self._lacking)
                yield kind, self._lacking

    def _thread_listing(self) -> int:
        listing = ManifestWriter.create(self._conn)
        rows = self._conn.execute(
            "SELECT sha, number FROM joined_threads WHERE snapshot = ? "
            "ORDER BY created IS NULL, created, object_id, sha",
            (self._snapshot,),
        )
        while some := rows.fetchmany(MERGE_BATCH_ROWS):
            listing.add([sha for sha, _ in some], [number for _, number in some])
        return listing.seal()


def _created(body: bytes) -> float | None:
    made = loads(body.decode()).get("created_at")
    return float(made) if isinstance(made, (int, float)) and not isinstance(made, bool) else None
