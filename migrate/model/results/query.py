"""Results of the commands that only read an estate or an archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from migrate.model.object_diff import FieldDifference
from migrate.model.results.archive import SnapshotInfo
from migrate.model.results.retirements import Retiring

ESSENTIAL_ROUTES = ("assistants", "files", "vector stores")


@dataclass(frozen=True)
class Symptom:
    """One check of `doctor`. `state`: works, gone, denied, failed or unknown."""

    what: str
    state: str
    detail: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """The result of `doctor`. `retired`: assistants are gone while files still work."""

    type: str
    url: str
    api_version: str
    retired: bool
    symptoms: list[Symptom]
    notes: tuple[str, ...]
    # What ends among the models of its assistants; None where these could not be listed.
    retiring: Retiring | None = None

    @property
    def whole(self) -> bool:
        """Whether everything that each service must offer can be read."""
        return all(s.state == "works" for s in self.symptoms if s.what in ESSENTIAL_ROUTES)


HistoryEventType = Literal["first seen", "changed", "gone", "back", "not read"]


@dataclass(frozen=True)
class HistoryEvent:
    """A change of an object between two snapshots.

    `until`: the last snapshot of a series that did not read the object (only with `not read`). `facts`:
    fields set by the service. `messages`: number of messages of a thread, now and before. `added`, `removed`:
    ids of files in a vector store.
    """

    snapshot: SnapshotInfo
    what: HistoryEventType
    until: int = 0
    reason: str = ""
    paths: tuple[FieldDifference, ...] = ()
    facts: tuple[FieldDifference, ...] = ()
    messages: tuple[int, int] | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectHistory:
    """The history of one object of one estate. `since`: the first snapshot with its newest form. `times`:
    how many of the `snapshots` contain it."""

    type: str
    url: str
    kind: str
    parent: str
    id: str
    name: str
    since: SnapshotInfo
    times: int
    snapshots: int
    events: tuple[HistoryEvent, ...] = field(default=())


@dataclass(frozen=True)
class SearchHit:
    """An object that contains the text: in which field, and the characters around it."""

    kind: str
    id: str
    parent: str
    field: str
    excerpt: str


MessagePartType = Literal["text", "refusal", "image", "citation", "attachment", "call", "result", "other"]


@dataclass(frozen=True)
class MessagePart:
    """One part of a message."""

    what: MessagePartType
    text: str


@dataclass(frozen=True)
class TranscriptEntry:
    """One message, or an item without a role (`role` is ''). `called`: tool calls of its run."""

    number: int
    id: str
    at: str
    role: str
    assistant: str
    parts: tuple[MessagePart, ...]
    called: tuple[MessagePart, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """A thread. `gap`: why messages are missing, or ''. `entries` can be iterated once."""

    thread: str
    at: str
    snapshot: int
    source: str
    count: int
    gap: str
    entries: Iterator[TranscriptEntry]


@dataclass(frozen=True)
class ExtractedFile:
    """A file that was written. `name`: its name at the service."""

    id: str
    name: str
    path: Path
    bytes: int
    sha256: str
    bytes_from: str


@dataclass(frozen=True)
class ExtractFailure:
    """A requested file that could not be written, and why. `unknown`: the snapshot has no such file."""

    id: str
    name: str
    reason: str
    unknown: bool = False


@dataclass
class ExtractResult:
    """The result of `extract`."""

    written: list[ExtractedFile] = field(default_factory=list)
    failed: list[ExtractFailure] = field(default_factory=list)

    @property
    def found_nothing(self) -> bool:
        """Whether files were requested and the snapshot has none of them."""
        return bool(self.failed) and not self.written and all(failure.unknown for failure in self.failed)


@dataclass(frozen=True)
class CleanupFinding:
    """An object that could be removed. `mark`: orphan, unused, expired or duplicate. `bytes`: its size, if
    the service reports it. `of`: id of the object that a duplicate equals."""

    mark: str
    kind: str
    id: str
    parent: str
    name: str
    why: str
    bytes: int | None = None
    created_at: float | None = None
    of: str = ""


@dataclass(frozen=True)
class CleanupResult:
    """Findings, claims that cannot be proven because a listing is missing, and notes."""

    findings: tuple[CleanupFinding, ...]
    unproven: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DiagramNode:
    """One object, or `weight` threads that use the same objects."""

    kind: str
    id: str
    name: str
    marks: tuple[str, ...] = ()
    weight: int = 1


@dataclass(frozen=True)
class Diagram:
    """A graph of an estate. `edges`: pairs of indexes into `nodes`, from the object with the reference to the
    referenced one. `left_out`: how many objects of each kind are not drawn."""

    nodes: tuple[DiagramNode, ...]
    edges: tuple[tuple[int, int], ...]
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class ObjectUser:
    """An object that refers to another one. `status`: of a file in a vector store, else ''."""

    kind: str
    id: str
    name: str = ""
    status: str = ""


@dataclass(frozen=True)
class ObjectUsers:
    """The objects that refer to one object. `threads`: the first ones that have it among their own
    resources; `more_threads`: whether there are more. `unread_threads`: how many threads were not searched,
    because there are too many; 0 where all were."""

    users: tuple[ObjectUser, ...]
    threads: tuple[ObjectUser, ...] = ()
    more_threads: bool = False
    unread_threads: int = 0
