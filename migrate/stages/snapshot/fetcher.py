"""Tasks that read one listing or one file, and the events that they emit to the thread that writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from migrate.archive.bodies import BodyRow
from migrate.archive.hashes import listing_sha
from migrate.archive.snapshots.writer import ListingState
from migrate.errors import AccessDenied, NotDownloadable, NotFound, RequestFailed, ResponseTooLarge
from migrate.model import JSON, KINDS
from migrate.model.entity import COUNT_MISMATCH_REASON, NOT_FOUND_REASON
from migrate.model.expected_gaps import hidden_parts, is_expected
from migrate.model.run import run_may_add_steps
from migrate.stages.snapshot.options import SnapshotOptions

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

DOWNLOAD_ATTEMPTS = 4
# Errors after which no other attempt is made.
FINAL_DOWNLOAD_ERRORS = (NotDownloadable, NotFound, AccessDenied, ResponseTooLarge)
# The wait before a download is tried again; it doubles with each attempt.
DOWNLOAD_RETRY_DELAY_S = 0.25

# The kind whose objects count the rows of the listing below them.
COUNTING_KIND = "vector_store"


def file_count(body: Mapping[str, JSON]) -> int:
    """How many files a vector store counts, in any state; 0 where it has no such field."""
    counts = body.get("file_counts")
    total = counts.get("total") if isinstance(counts, dict) else None
    return total if type(total) is int else 0


@dataclass(frozen=True)
class FileFacts:
    """What is known of a file before its bytes are read. `size` in bytes; None where the service has none."""

    id: str
    name: str
    size: int | None
    purpose: str = ""

    @classmethod
    def from_body(cls, body: Mapping[str, JSON]) -> FileFacts:
        """From the body of a file, whatever types its fields have."""
        size = body.get("bytes")
        return cls(
            str(body.get("id")),
            str(body.get("filename") or ""),
            size if isinstance(size, int) else None,
            str(body.get("purpose") or ""),
        )


@dataclass(frozen=True)
class PageFetched:
    """A page of a listing. `files` describes the rows when they are files."""

    kind: str
    parent: str
    rows: list[BodyRow]
    cursor: str
    files: tuple[FileFacts, ...] = ()
    # Id of a vector store, and how many files it counts.
    totals: tuple[tuple[str, int], ...] = ()
    # Ids that cannot be sent as they are stored: half of a character pair has no form in UTF-8.
    unencodable_ids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ListingEnded:
    """A listing was read to its end, or the rest cannot be read."""

    kind: str
    parent: str
    state: ListingState
    reason: str = ""


@dataclass(frozen=True)
class ObjectFailed:
    """One object that could not be read."""

    kind: str
    id: str
    reason: str
    parent: str = ""


@dataclass(frozen=True)
class FileChunk:
    """Some bytes of a file. `start`: a download begins; what an earlier attempt wrote is discarded."""

    file: FileFacts
    data: bytes
    start: bool


@dataclass(frozen=True)
class FileEnded:
    """The bytes of a file are complete, or with a `reason` could not be read. `expected`: the service never
    returns them, by its own rule."""

    file: FileFacts
    reason: str = ""
    expected: bool = False


@dataclass(frozen=True)
class ParsedTextFetched:
    """The text that a vector store parsed out of a file whose bytes could not be read. `text` is None where
    that could not be read either. `reason`: why the bytes could not be read."""

    file: FileFacts
    text: str | None
    reason: str
    expected: bool = False


@dataclass(frozen=True)
class ListingUnchanged:
    """Whether the newest messages, or runs, of a thread are the `same` as in an earlier snapshot.
    `may_add_steps`: a run has not ended, so it may have new steps although it is the same.
    `granted_includes`: what the service shows because `include[]` asks for it."""

    kind: str
    thread: str
    same: bool
    may_add_steps: bool = False
    granted_includes: tuple[str, ...] = ()


Event: TypeAlias = (
    PageFetched | ListingEnded | ObjectFailed | FileChunk | FileEnded | ParsedTextFetched | ListingUnchanged
)


class Fetcher:
    """The tasks. They run on worker threads; they read, and emit events."""

    def __init__(self, reader: Reader, options: SnapshotOptions, emit: Callable[[Event], None]) -> None:
        self._reader = reader
        self._options = options
        self._emit = emit

    def read_listing(self, kind: str, parent: str, cursor: str, total: int = 0) -> None:
        """Read every page of a listing behind a cursor. `total`: how many rows its parent counts."""
        count = 0
        try:
            for page in self._reader.pages(kind, parent, after=cursor):
                count += len(page.bodies)
                self._emit(self._page(kind, parent, page.bodies, page.cursor))
            counted = self._count_again(kind, parent) if count < total else 0
        except RequestFailed as failed:
            self._emit(self._failed_listing(kind, parent, failed))
        else:
            less = f"{COUNT_MISMATCH_REASON}: its store counts {counted:,} files, its listing has {count:,}"
            self._emit(ListingEnded(kind, parent, "complete", less if count < counted else ""))

    def _count_again(self, kind: str, parent: str) -> int:
        """How many rows the parent of a listing counts now. Some may be gone since the parent was read."""
        return file_count(self._reader.get(KINDS[kind].parent, parent))

    def compare_newest(self, kind: str, thread: str, previous: bytes, page: int) -> None:
        """Compare the newest messages, or runs, of a thread with an earlier snapshot, in one request.
        `previous`: the hash of its last `page` bodies, or of all where there are fewer."""
        try:
            bodies = list(islice(self._reader.newest(kind, thread, page), page))
        except RequestFailed:
            bodies = []  # reading the listing itself will report the error
        shas = [
            BodyRow.from_json(kind, body).sha for body in reversed(bodies) if self._options.keeps(kind, body)
        ]
        may_add_steps = kind == "run" and any(run_may_add_steps(body, time.time()) for body in bodies)
        granted = self._reader.granted_includes(kind)
        same = bool(shas) and listing_sha(shas) == previous
        self._emit(ListingUnchanged(kind, thread, same, may_add_steps, granted))

    def read_threads(
        self, cursor: str, listed: bool, given: Iterable[str], known: frozenset[str], remark: str
    ) -> None:
        """Read the threads that the service lists, and those whose ids are given, each once. `known`: ids
        that are stored already. `remark` is kept with the listing when it is complete."""
        given = tuple(given)
        seen = set(known)
        end = ListingEnded("thread", "", "complete", remark)
        try:
            for page in self._reader.pages("thread", after=cursor) if listed else ():
                seen.update(str(body.get("id")) for body in page.bodies if given)
                self._emit(self._page("thread", "", page.bodies, page.cursor))
        except RequestFailed as failed:
            end = self._failed_listing("thread", "", failed)
        for id_ in dict.fromkeys(given):
            if id_ not in seen:
                self._read_thread(id_)
        self._emit(end)

    def _read_thread(self, id_: str) -> None:
        try:
            body = self._reader.get("thread", id_)
        except NotFound as failed:
            self._emit(ObjectFailed("thread", id_, f"{NOT_FOUND_REASON}: {failed}"))
        except RequestFailed as failed:
            self._emit(ObjectFailed("thread", id_, str(failed)))
        else:
            self._emit(self._page("thread", "", [body], ""))

    def read_run_steps(self, thread: str, runs: Iterable[str]) -> None:
        """Read the steps of every run of a thread, run by run."""
        try:
            for run in runs:
                for page in self._reader.pages("run_step", thread, run=run):
                    self._emit(self._page("run_step", thread, page.bodies, ""))
        except RequestFailed as failed:
            self._emit(self._failed_listing("run_step", thread, failed))
        else:
            self._emit(ListingEnded("run_step", thread, "complete"))

    def download(self, file: FileFacts) -> None:
        """Read the bytes of a file. A stream that breaks or ends early is read again from the start."""
        reason, expected = "", False
        for attempt in range(DOWNLOAD_ATTEMPTS):
            if attempt:
                self._reader.limiter.sleep(DOWNLOAD_RETRY_DELAY_S * 2**attempt)
            try:
                received = self._stream(file)
            except RequestFailed as failed:
                reason, expected = str(failed), is_expected(self._reader.type, file.purpose, failed)
                if failed.status == 400 or isinstance(failed, FINAL_DOWNLOAD_ERRORS):
                    break
                continue
            if file.size is None or received == file.size:
                self._emit(FileEnded(file))
                return
            reason, expected = f"{received:,} bytes came where {file.size:,} were promised", False
        self._emit(FileEnded(file, reason, expected))

    def read_parsed_text(self, ended: FileEnded, stores: Iterable[str]) -> None:
        """Read the parsed text of a file without bytes, from the first vector store that returns it."""
        file, reason = ended.file, ended.reason
        for store in stores:
            try:
                text = self._reader.parsed(store, file.id)
                self._emit(ParsedTextFetched(file, text, reason, ended.expected))
                return
            except RequestFailed as failed:
                reason = f"{reason}; its parsed text: {failed}"
        self._emit(ParsedTextFetched(file, None, reason, ended.expected))

    def _stream(self, file: FileFacts) -> int:
        """Emit the bytes of a file, and count them. Raises `ResponseTooLarge` for more than its size."""
        received = 0
        self._emit(FileChunk(file, b"", start=True))
        with self._reader.content(file.id) as chunks:
            for data in chunks:
                self._emit(FileChunk(file, data, start=False))
                received += len(data)
                if file.size is not None and received > file.size:
                    raise ResponseTooLarge(f"more bytes came than the {file.size:,} that were promised")
        return received

    def _page(self, kind: str, parent: str, bodies: list[dict[str, JSON]], cursor: str) -> PageFetched:
        """A page with the objects that the options keep. Parts of messages that the service hides are emitted
        as failures of their own."""
        kept = [body for body in bodies if self._options.keeps(kind, body)]
        if self._options.details:
            kept = self._reader.add_details(kind, kept)
        for body in kept if kind == "message" else ():
            for part in hidden_parts(body)[:1]:
                reason = f"the service does not show {part}"
                self._emit(ObjectFailed(kind, str(body.get("id")), reason, parent))
        rows = [BodyRow.from_json(kind, body) for body in kept]
        ids = zip(rows, kept, strict=True)
        return PageFetched(
            kind,
            parent,
            rows,
            cursor,
            files=tuple(map(FileFacts.from_body, kept)) if kind == "file" else (),
            totals=tuple((str(b.get("id")), file_count(b)) for b in kept) if kind == COUNTING_KIND else (),
            unencodable_ids=frozenset(r.object_id for r, b in ids if r.object_id != str(b.get("id", ""))),
        )

    def _failed_listing(self, kind: str, parent: str, failed: RequestFailed) -> ListingEnded:
        """How a listing that failed has ended. Below a parent, a 404 may mean that the parent was deleted
        meanwhile: only the parent's own address distinguishes that from a listing that cannot be read."""
        if parent and isinstance(failed, NotFound):
            try:
                self._reader.get(KINDS[kind].parent, parent)
            except NotFound:
                return ListingEnded(kind, parent, "gone", "deleted while the snapshot was read")
            except RequestFailed:
                pass
        return ListingEnded(kind, parent, "failed", str(failed))
