"""What a snapshot reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrate.model import JSON, KINDS
from migrate.model.shard import Shard
from migrate.stages.filters import ObjectFilter


@dataclass(frozen=True)
class SnapshotOptions:
    """`list_threads`: read the service's own list of threads, where it has one; `thread_ids` are read in
    addition. `messages_of`: read the messages of these threads, without the threads themselves.
    `originals`: a folder with files whose bytes the service does not return."""

    list_threads: bool = True
    thread_ids: tuple[str, ...] = ()
    messages_of: tuple[str, ...] = ()
    runs: bool = True
    bytes: bool = True
    originals: Path | None = None
    object_filter: ObjectFilter = field(default_factory=ObjectFilter)
    # Read every thread, also one whose newest messages are known from an earlier snapshot.
    full: bool = False
    workers: int = 8
    tag: str | None = None
    # Only this share of the threads; the first share also reads what is not in a thread.
    shard: Shard | None = None
    # Ask which models the names of the estate mean and when they end. Not part of the stored options.
    models: bool = False

    def stored_options(self) -> dict[str, JSON]:
        """The options that an archive stores. An interrupted snapshot is continued if they are the same."""
        return {
            "threads": self.list_threads,
            "runs": self.runs,
            "bytes": self.bytes,
            "include": [list(rule) for rule in self.object_filter.include],
            "exclude": [list(rule) for rule in self.object_filter.exclude],
            **({"shard": str(self.shard)} if self.shard else {}),
        }

    def reads_kind(self, kind: str) -> bool:
        """Whether a kind is read at all."""
        in_shard = self.shard is None or self.shard.reads_kind(kind)
        return in_shard and self.object_filter.may_match(kind) and (self.runs or KINDS[kind].replayed)

    def keeps(self, kind: str, body: Mapping[str, JSON]) -> bool:
        """Whether an object of a listing is stored."""
        in_shard = kind != "thread" or self.includes_thread(str(body.get("id", "")))
        return in_shard and self.object_filter.matches(kind, body)

    def includes_thread(self, thread: str) -> bool:
        """Whether a thread is in the share that is read."""
        return self.shard is None or self.shard.contains(thread)
