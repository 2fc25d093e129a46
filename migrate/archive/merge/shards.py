"""Find which snapshots of shards make up one snapshot. Only the rows of the snapshots are read.

A joined snapshot remembers its parts, so it can be joined again: with a shard that came later, or with a
better reading of one. Of two readings of one shard the better one counts, whatever the order of joining.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from migrate.model import JSON
from migrate.model.shard import Shard

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
