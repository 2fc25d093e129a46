"""Results of the commands that answer questions about an estate or a snapshot, and write nothing into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from migrate.model.object_diff import FieldDifference
from migrate.model.results.archive import SnapshotInfo

ESSENTIAL_ROUTES = ("assistants", "files", "vector stores")


@dataclass(frozen=True)
class Symptom:
    """One thing looked at. `state`: works, gone, denied, failed, unknown."""

    what: str
    state: str
    detail: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Everything looked at; `retired` when assistants are gone while files answer."""

    type: str
    url: str
    api_version: str
    retired: bool
    symptoms: list[Symptom]
    notes: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether everything can be read whose absence is not the service's own way."""
        return all(s.state == "works" for s in self.symptoms if s.what in ESSENTIAL_ROUTES)


HistoryEventType = Literal["first seen", "changed", "gone", "back", "not read"]


@dataclass(frozen=True)
class HistoryEvent:
    """What a snapshot saw of an object that the one before had not seen.

    `until`: the last snapshot of which the same is true (of `not read` alone). `facts`: what the service
    set. `messages`: how many a thread has, and had; `came` and `went`: ids of files in a store.
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
    """One object in one place. `since`: the snapshot that first saw it as it was last seen; `times`: how
    many snapshots hold it."""

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
    """An object in which the text stands: in which field, and between what."""

    kind: str
    id: str
    parent: str
    field: str
    excerpt: str


MessagePartType = Literal["text", "refusal", "image", "citation", "attachment", "call", "result", "other"]


@dataclass(frozen=True)
class MessagePart:
    """One thing in a message."""

    what: MessagePartType
    text: str


@dataclass(frozen=True)
class TranscriptEntry:
    """One message, or one item that nobody said (its role is ''). `called` are tools that its run used."""

    number: int
    id: str
    at: str
    role: str
    assistant: str
    parts: tuple[MessagePart, ...]
    called: tuple[MessagePart, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """A thread. `gap` is why its messages are not all here, or ''. `said` can be walked once."""

    thread: str
    at: str
    snapshot: int
    source: str
    count: int
    gap: str
    entries: Iterator[TranscriptEntry]


@dataclass(frozen=True)
class ExtractedFile:
    """A file that lies in the folder now. `name` is what its service calls it."""

    id: str
    name: str
    path: Path
    bytes: int
    sha256: str
    bytes_from: str


@dataclass(frozen=True)
class ExtractFailure:
    """A file that was asked for and could not be written, and why."""

    id: str
    name: str
    reason: str


@dataclass
class ExtractResult:
    """What was written, and what was not."""

    written: list[ExtractedFile] = field(default_factory=list)
    failed: list[ExtractFailure] = field(default_factory=list)


@dataclass(frozen=True)
class CleanupFinding:
    """One object, what it is, and why. `bytes`: what it costs, where the service tells; `of`: the one that
    a duplicate is like."""

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
    """One object, or several threads that hang on the same things: `weight` is how many."""

    kind: str
    id: str
    name: str
    marks: tuple[str, ...] = ()
    weight: int = 1


@dataclass(frozen=True)
class Diagram:
    """`edges` are pairs of places in `nodes`, from what names to what is named; `left_out` is how many
    objects of each kind are not drawn."""

    nodes: tuple[DiagramNode, ...]
    edges: tuple[tuple[int, int], ...]
    left_out: Mapping[str, int]
