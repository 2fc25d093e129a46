"""Tasks that read one listing or one file, and the events they bring to the thread that writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from migrate.archive.bodies import BodyRow
from migrate.archive.hashes import listing_sha
from migrate.archive.snapshots.writer import ScopeState
from migrate.errors import AccessDenied, NotDownloadable, NotFound, RequestFailed, ResponseTooLarge
from migrate.model import JSON, KINDS
from migrate.model.entity import COUNT_MISMATCH_REASON, NOT_FOUND_REASON
from migrate.model.expected_gaps import hidden_parts, is_expected
from migrate.model.run import run_may_add_steps
from migrate.stages.snapshot.options import SnapshotOptions

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

DOWNLOAD_ATTEMPTS = 4
DOWNLOAD_RETRY_DELAY_S = 0.25
"""Seconds before a download is tried again, doubled each time."""


COUNTING_KIND = "vector_store"
"""The kind whose objects tell how many rows their own listing has."""


def file_count(body: Mapping[str, JSON]) -> int:
    """How many files a vector store counts, whatever their state; 0 where it does not say."""
    counts = body.get("file_counts")
    total = counts.get("total") if isinstance(counts, dict) else None
    return total if type(total) is int else 0


@dataclass(frozen=True)
class FileFacts:
    """What is known of a file before its bytes: id, name, and size where the service says it."""

    id: str
    name: str
    size: int | None
    purpose: str = ""

    @classmethod
    def from_body(cls, body: Mapping[str, JSON]) -> FileFacts:
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
    totals: tuple[tuple[str, int], ...] = ()
    """Id of a vector store -> how many files it counts."""
    unaskable: frozenset[str] = frozenset()
    """Ids that cannot be asked for as they are stored: half a character has no form on the wire."""


@dataclass(frozen=True)
class ListingEnded:
    """A listing is at its end, or cannot be read on."""

    kind: str
    parent: str
    state: ScopeState
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
    """Some bytes of a file; `start` when they are the first."""

    file: FileFacts
    data: bytes
    start: bool


@dataclass(frozen=True)
class FileEnded:
    """A file's bytes are all here, or (with a reason) will not come; `expected`: they never do."""

    file: FileFacts
    reason: str = ""
    expected: bool = False


@dataclass(frozen=True)
class ParsedTextFetched:
    """What a vector store read out of a file whose bytes will not come; `text` is None where nothing was
    had. `reason`: why the bytes did not come."""

    file: FileFacts
    text: str | None
    reason: str
    expected: bool = False


@dataclass(frozen=True)
class ListingUnchanged:
    """Whether the end of a thread's messages, or runs, is what an earlier snapshot has of it. `underway`:
    one of the runs goes on, so its steps may be others although it is the same."""

    kind: str
    thread: str
    same: bool
    underway: bool = False
    shown: tuple[str, ...] = ()
    """What the service shows because it was asked to: what hid more before is not the same."""


Event: TypeAlias = (
    PageFetched | ListingEnded | ObjectFailed | FileChunk | FileEnded | ParsedTextFetched | ListingUnchanged
)


class Fetcher:
    """Makes the tasks. They run on worker threads and only read and `bring`."""

    def __init__(self, reader: Reader, wanted: SnapshotOptions, bring: Callable[[Event], None]) -> None:
        self._reader = reader
        self._wanted = wanted
        self._bring = bring

    def listing(self, kind: str, parent: str, cursor: str, total: int = 0) -> None:
        """Every page of a listing, which should have `total` rows or more."""
        count = 0
        try:
            for page in self._reader.pages(kind, parent, after=cursor):
                count += len(page.bodies)
                self._bring(self._page(kind, parent, page.bodies, page.cursor))
            told = self._counted(kind, parent) if count < total else 0
        except RequestFailed as failed:
            self._bring(self._broken(kind, parent, failed))
        else:
            less = f"{COUNT_MISMATCH_REASON}: its store counts {told:,} files, its listing has {count:,}"
            self._bring(ListingEnded(kind, parent, "complete", less if count < told else ""))

    def _counted(self, kind: str, parent: str) -> int:
        """How many rows what a listing lies in counts now: some may have left since its own listing."""
        return file_count(self._reader.get(KINDS[kind].parent, parent))

    def again(self, kind: str, thread: str, known: bytes, page: int) -> None:
        """Compare the newest messages, or runs, of a thread with what is known of their end: `known` is the
        hash of the last bodies, of all of them when they are fewer than a page. One request."""
        try:
            bodies = list(islice(self._reader.newest(kind, thread, page), page))
        except RequestFailed:
            bodies = []  # the listing itself will tell
        found = [BodyRow.of(kind, body).sha for body in reversed(bodies) if self._wanted.wants(kind, body)]
        underway = kind == "run" and any(run_may_add_steps(body, time.time()) for body in bodies)
        shown = self._reader.granted_includes(kind)
        self._bring(
            ListingUnchanged(kind, thread, bool(found) and listing_sha(found) == known, underway, shown)
        )

    def threads(
        self, cursor: str, listed: bool, given: Iterable[str], known: frozenset[str], remark: str
    ) -> None:
        """The threads of the service's own listing and those whose ids were given, each once. `remark`
        stays with the listing when it is complete."""
        given = tuple(given)
        seen = set(known)
        state = ListingEnded("thread", "", "complete", remark)
        try:
            for page in self._reader.pages("thread", after=cursor) if listed else ():
                seen.update(str(body.get("id")) for body in page.bodies if given)
                self._bring(self._page("thread", "", page.bodies, page.cursor))
        except RequestFailed as failed:
            state = self._broken("thread", "", failed)
        for id_ in dict.fromkeys(given):
            if id_ not in seen:
                self._one_thread(id_)
        self._bring(state)

    def _one_thread(self, id_: str) -> None:
        try:
            body = self._reader.get("thread", id_)
        except NotFound as failed:
            self._bring(ObjectFailed("thread", id_, f"{NOT_FOUND_REASON}: {failed}"))
        except RequestFailed as failed:
            self._bring(ObjectFailed("thread", id_, str(failed)))
        else:
            self._bring(self._page("thread", "", [body], ""))

    def steps(self, thread: str, runs: Iterable[str]) -> None:
        """The steps of every run of a thread, run by run."""
        try:
            for run in runs:
                for page in self._reader.pages("run_step", thread, run=run):
                    self._bring(self._page("run_step", thread, page.bodies, ""))
        except RequestFailed as failed:
            self._bring(self._broken("run_step", thread, failed))
        else:
            self._bring(ListingEnded("run_step", thread, "complete"))

    def content(self, file: FileFacts) -> None:
        """A file's bytes; a stream that breaks or ends early is read again from the start."""
        reason, expected = "", False
        for attempt in range(DOWNLOAD_ATTEMPTS):
            if attempt:
                self._reader.limiter.sleep(DOWNLOAD_RETRY_DELAY_S * 2**attempt)
            try:
                got = self._stream(file)
            except (NotDownloadable, NotFound, AccessDenied, ResponseTooLarge) as failed:
                reason, expected = str(failed), is_expected(self._reader.type, file.purpose, failed)
                break
            except RequestFailed as failed:
                reason, expected = str(failed), is_expected(self._reader.type, file.purpose, failed)
                if failed.status == 400:
                    break
                continue
            if file.size is None or got == file.size:
                self._bring(FileEnded(file))
                return
            reason, expected = f"{got:,} bytes came where {file.size:,} were promised", False
        self._bring(FileEnded(file, reason, expected))

    def parsed(self, ended: FileEnded, stores: Iterable[str]) -> None:
        """The parsed text of a file whose bytes did not come, from the first store that gives it."""
        file, reason = ended.file, ended.reason
        for store in stores:
            try:
                text = self._reader.parsed(store, file.id)
                self._bring(ParsedTextFetched(file, text, reason, ended.expected))
                return
            except RequestFailed as failed:
                reason = f"{reason}; its parsed text: {failed}"
        self._bring(ParsedTextFetched(file, None, reason, ended.expected))

    def _stream(self, file: FileFacts) -> int:
        got = 0
        self._bring(FileChunk(file, b"", start=True))
        with self._reader.content(file.id) as chunks:
            for data in chunks:
                self._bring(FileChunk(file, data, start=False))
                got += len(data)
                if file.size is not None and got > file.size:
                    raise ResponseTooLarge(f"more bytes came than the {file.size:,} that were promised")
        return got

    def _page(self, kind: str, parent: str, bodies: list[dict[str, JSON]], cursor: str) -> PageFetched:
        wanted = [body for body in bodies if self._wanted.wants(kind, body)]
        wanted = self._reader.add_details(kind, wanted)
        files = tuple(map(FileFacts.from_body, wanted)) if kind == "file" else ()
        if kind == "message":
            for body in wanted:
                for words in hidden_parts(body)[:1]:
                    self._bring(
                        ObjectFailed(kind, str(body.get("id")), f"the service does not show {words}", parent)
                    )
        totals = (
            tuple((str(body.get("id")), file_count(body)) for body in wanted) if kind == COUNTING_KIND else ()
        )
        rows = [BodyRow.of(kind, body) for body in wanted]
        odd = frozenset(
            row.object_id
            for row, body in zip(rows, wanted, strict=True)
            if row.object_id != str(body.get("id", ""))
        )
        return PageFetched(kind, parent, rows, cursor, files, totals, odd)

    def _broken(self, kind: str, parent: str, failed: RequestFailed) -> ListingEnded:
        """A listing that failed. Below a parent, a 404 may mean that the parent was deleted meanwhile:
        only the parent's own address tells that from a listing that cannot be read."""
        if parent and isinstance(failed, NotFound):
            try:
                self._reader.get(KINDS[kind].parent, parent)
            except NotFound:
                return ListingEnded(kind, parent, "gone", "deleted while the snapshot was read")
            except RequestFailed:
                pass
        return ListingEnded(kind, parent, "failed", str(failed))
