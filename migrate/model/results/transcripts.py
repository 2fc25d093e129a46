"""The result of writing conversations as files, and the pages that list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from migrate.model.results.conversation import ThreadSummary


@dataclass(frozen=True)
class TranscriptFailure:
    """A thread that is not complete or could not be read, or a file that could not be copied: its id, the
    reason."""

    kind: str
    id: str
    reason: str


@dataclass(frozen=True)
class ListedThread:
    """A thread in the list of transcripts. `path`: its page, relative to the folder."""

    summary: ThreadSummary
    path: str


@dataclass(frozen=True)
class IndexPage:
    """A page of the list of transcripts, newest first. `number`: from 1. `pages`: path, newest and oldest
    time of every page."""

    number: int
    rows: Sequence[ListedThread]
    pages: Sequence[tuple[str, str, str]]
    threads: int
    incomplete: int
    source: str
    snapshot: int


@dataclass
class TranscriptsResult:
    """What was written. `format`: html, markdown or jsonl. `bytes`: of the copied files. `without_bytes`:
    files that conversations refer to and that the archive has no bytes of. `incomplete`: threads of which the
    snapshot lacks messages; `failed`: threads that are damaged in the archive, and files."""

    folder: Path
    format: str
    threads: int = 0
    messages: int = 0
    files: int = 0
    bytes: int = 0
    without_bytes: int = 0
    removed: int = 0
    incomplete: list[TranscriptFailure] = field(default_factory=list)
    failed: list[TranscriptFailure] = field(default_factory=list)
    unknown_ids: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for is there."""
        return not (self.incomplete or self.failed or self.unknown_ids)
