"""What a snapshot reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrate.model import JSON, KINDS
from migrate.model.results.archive import MissingObject
from migrate.model.selection import SELECTABLE_KINDS, Selection
from migrate.model.shard import Shard
from migrate.stages.filters import ObjectFilter, names_in


@dataclass(frozen=True)
class SelectedContents:
    """The objects that a filtered snapshot keeps.

    `ids`: kind -> ids, for every kind that can be selected; files that the others need are added when those
    were read. `rules`: those that exclude files, also needed ones. `lists_threads`: threads are listed again,
    since that takes fewer requests than one for each. `gaps`: what could not be read when the objects were
    chosen, so that it is not known whether the selection means it. `unknown_ids` and `unmatched_rules` fit
    nothing."""

    selection: Selection
    ids: Mapping[str, set[str]]
    rules: ObjectFilter = field(compare=False)
    lists_threads: bool = False
    gaps: tuple[MissingObject, ...] = ()
    unknown_ids: tuple[str, ...] = ()
    unmatched_rules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def reads_kind(self, kind: str) -> bool:
        """Whether any object of a kind is kept. Files may still be needed."""
        return bool(self.ids[kind]) or (kind == "file" and self.selection.dependencies)

    def keeps(self, kind: str, body: Mapping[str, JSON]) -> bool:
        """Whether an object is kept."""
        is_meant = str(body.get("id")) in self.ids[kind]
        return is_meant and not (kind == "file" and self.rules.excludes(kind, names_in(body)))


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
    # Only this part of the threads; the first shard also reads everything that is not in a thread.
    shard: Shard | None = None
    # Ask which models the names of the estate mean and when they end. Not part of the stored options.
    models: bool = False
    # What the user selected. With more than rules by kind and name, `selected` has what it means.
    selection: Selection = field(default_factory=Selection)
    selected: SelectedContents | None = None
    # Read what a service shows only at the address of each object.
    details: bool = True

    def stored_options(self) -> dict[str, JSON]:
        """The options that an archive stores. An interrupted snapshot is continued if they are the same."""
        return {
            "threads": self.list_threads,
            "runs": self.runs,
            "bytes": self.bytes,
            "include": [list(rule) for rule in self.object_filter.include],
            "exclude": [list(rule) for rule in self.object_filter.exclude],
            **({"shard": str(self.shard)} if self.shard else {}),
            **({} if self.selection.has_only_rules else {"selection": self.selection.options()}),
        }

    @property
    def requested_threads(self) -> tuple[bool, tuple[str, ...]]:
        """Whether threads are listed, and the ids of those that are requested in addition."""
        if self.selected is None:
            return self.list_threads, self.thread_ids
        return self.selected.lists_threads, tuple(sorted(self.selected.ids["thread"]))

    def reads_kind(self, kind: str) -> bool:
        """Whether a kind is read at all."""
        if self.selected is not None and kind in SELECTABLE_KINDS:
            return self.selected.reads_kind(kind)
        in_shard = self.shard is None or self.shard.reads_kind(kind)
        return in_shard and self.object_filter.may_match(kind) and (self.runs or KINDS[kind].replayed)

    def keeps(self, kind: str, body: Mapping[str, JSON]) -> bool:
        """Whether an object of a listing is stored."""
        if self.selected is not None and kind in SELECTABLE_KINDS:
            return self.selected.keeps(kind, body)
        in_shard = kind != "thread" or self.includes_thread(str(body.get("id", "")))
        return in_shard and self.object_filter.matches(kind, body)

    def includes_thread(self, thread: str) -> bool:
        """Whether a thread is in the share that is read."""
        return self.shard is None or self.shard.contains(thread)
