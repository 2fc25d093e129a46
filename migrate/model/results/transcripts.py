"""The result of writing conversations as files, the pages that list them, and how both look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from migrate.model.results.conversation import (
    Conversation,
    ConversationMessage,
    FileReference,
    TranscriptSummary,
)
from migrate.model.results.query import Transcript


class ConversationLinks:
    """Where the parts of a conversation lead: `serve` has addresses, a folder of transcripts has files. Each
    is '' where there is nothing to lead to, as it is here."""

    def file(self, file: FileReference) -> str:
        """The bytes of a file, or a page about it."""
        return ""

    def cited(self, file: FileReference, quote: str) -> str:
        """A file at the passage that is cited from it."""
        return self.file(file)

    def image(self, file: FileReference) -> str:
        """An image that is shown in the page; called only for files whose bytes are an image."""
        return ""

    def message(self, message: ConversationMessage) -> str:
        """The lasting address of a message; '' where it is its place in the page."""
        return ""

    def assistant(self, id_: str) -> str:
        """A page about an assistant."""
        return ""

    def whole_text(self, message: ConversationMessage | None, text: str) -> str:
        """A text that is too long for the page. `message` is None in a run behind the last one."""
        return ""


@dataclass(frozen=True)
class TranscriptPage:
    """One page of the transcript of a thread, with what a form may want to read of it. `names`: the file
    names of all its pages, in one folder; `number`: which of them it is, from 1. `root`: from that folder to
    the folder of all transcripts, as in `../`; '' for a page that stands alone."""

    summary: TranscriptSummary
    conversation: Callable[[], Conversation]
    transcript: Callable[[], Transcript]
    links: ConversationLinks
    number: int = 1
    names: Sequence[str] = ()
    root: str = ""


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

    summary: TranscriptSummary
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


class TranscriptForm:
    """How transcripts look. `extension`: of a page of a thread, with its dot. `page_messages`: messages of
    one page; None for all. `together`: the file that has all threads, where there is no page for each.
    `index_rows`: threads of one page of the list."""

    name: str
    extension: str
    together = ""
    page_messages: int | None = None
    index_rows = 1

    def assets(self) -> Mapping[str, str]:
        """Path and text of the files that every page uses."""
        return {}

    def thread(self, page: TranscriptPage) -> Iterator[str]:
        """A page of a thread, piece by piece."""
        raise NotImplementedError

    def index(self, page: IndexPage) -> Iterator[str]:
        """A page of the list, piece by piece."""
        return iter(())


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
