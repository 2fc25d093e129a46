"""What a snapshot is asked to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrate.model import JSON, KINDS
from migrate.model.shard import Shard
from migrate.stages.filters import ObjectFilter


@dataclass(frozen=True)
class SnapshotOptions:
    """`list_threads`: ask the service for its threads where it lists them; `thread_ids` come on top.
    `messages_of`: read the messages of these threads, without the threads themselves."""

    list_threads: bool = True
    thread_ids: tuple[str, ...] = ()
    messages_of: tuple[str, ...] = ()
    runs: bool = True
    bytes: bool = True
    originals: Path | None = None
    choice: ObjectFilter = field(default_factory=ObjectFilter)
    full: bool = False
    """Read every thread, also one whose newest messages are known from an earlier snapshot."""
    workers: int = 8
    tag: str | None = None
    shard: Shard | None = None
    """Only this share of the threads; the first share also reads what lies in no thread."""

    def options(self) -> dict[str, JSON]:
        """What must be the same for an interrupted snapshot to be continued."""
        return {
            "threads": self.list_threads,
            "runs": self.runs,
            "bytes": self.bytes,
            "include": [list(rule) for rule in self.choice.include],
            "exclude": [list(rule) for rule in self.choice.exclude],
            **({"shard": str(self.shard)} if self.shard else {}),
        }

    def kind(self, kind: str) -> bool:
        """Whether a kind is read at all."""
        left = self.shard is not None and not self.shard.reads_kind(kind)
        return not left and self.choice.may_match(kind) and (self.runs or KINDS[kind].replayed)

    def wants(self, kind: str, body: Mapping[str, JSON]) -> bool:
        """Whether an object of a listing is kept."""
        ours = kind != "thread" or self.includes_thread(str(body.get("id", "")))
        return ours and self.choice.matches(kind, body)

    def includes_thread(self, thread: str) -> bool:
        """Whether a thread is of the share that is read."""
        return self.shard is None or self.shard.contains(thread)
