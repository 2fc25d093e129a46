"""Write the conversations of a snapshot into a folder, thread by thread, and a list of them.

Memory does not grow with the number of threads or messages: only one window of one thread is kept at a time,
and the rows of the list are in a temporary file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from migrate.archive.packs import PackDamaged
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.model.input_limits import JSONTooDeep
from migrate.model.known_secrets import redact
from migrate.model.results.archive import StoredBody
from migrate.model.results.conversation import TranscriptSummary
from migrate.model.results.query import Transcript
from migrate.model.results.transcripts import (
    ConversationLinks,
    IndexPage,
    ListedThread,
    TranscriptFailure,
    TranscriptForm,
    TranscriptPage,
    TranscriptsResult,
)
from migrate.stages.progress import Progress
from migrate.stages.query.conversation import ConversationReader
from migrate.stages.query.transcript import read_transcript
from migrate.stages.transcripts.file_names import thread_stem
from migrate.stages.transcripts.folder import TranscriptFolder
from migrate.stages.transcripts.page_links import CopiedFiles, EmbeddedImages, FolderLinks
from migrate.stages.transcripts.sorted_rows import SortedRows

# Threads in one folder; some systems get slow with more, and FAT takes 65,534 short names at most.
THREADS_PER_FOLDER = 1_000
# Bytes of a thread that are kept in memory until it is whole, and that are copied at once.
MAX_THREAD_IN_MEMORY, COPIED_BYTES = 1 << 22, 1 << 16
THREADS, MESSAGES = "threads", "messages"


def write_transcripts(
    snapshot: SnapshotReader,
    folder: Path,
    form: TranscriptForm,
    threads: Collection[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> TranscriptsResult:
    """Write the conversations of some threads, or of all. `force`: replace those of an earlier run.

    Raises `OperationRefused` and `BadUsage` for a folder that cannot be used, and `DiskFull`."""
    return _Run(snapshot, folder, form, threads, force, progress or Progress()).run()


def single_page(snapshot: SnapshotReader, thread: str) -> TranscriptPage | None:
    """A thread as one page that stands alone, or None when the snapshot has no such thread."""
    reader = ConversationReader(snapshot)
    body = reader.find(thread)
    if body is None:
        return None
    return TranscriptPage(
        reader.summarize(body),
        lambda: reader.read_body(body),
        partial(_transcript, snapshot, reader, thread),
        EmbeddedImages(snapshot),
    )


def _transcript(snapshot: SnapshotReader, reader: ConversationReader, thread: str) -> Transcript:
    found = read_transcript(snapshot, thread, reader.named)
    assert found is not None, "the thread was listed"
    return found


class _Run:
    """One run, from an empty folder to a complete one."""

    def __init__(
        self,
        snapshot: SnapshotReader,
        folder: Path,
        form: TranscriptForm,
        threads: Collection[str] | None,
        force: bool,
        progress: Progress,
    ) -> None:
        self._snapshot, self._form, self._threads, self._progress = snapshot, form, threads, progress
        self.result = TranscriptsResult(folder, form.name)
        info = snapshot.info
        facts = {"format": form.name, "snapshot": info.id, "estate": f"{info.type} {info.url}"}
        self._folder = TranscriptFolder(folder, facts, force)
        self._reader = ConversationReader(snapshot)
        self._copied = CopiedFiles(snapshot, self._folder, self.result)
        count = snapshot.count("thread", "") if threads is None else len(threads)
        self._has_subfolders = count > THREADS_PER_FOLDER
        progress.expect(THREADS, count)
        progress.total_known(THREADS)

    def run(self) -> TranscriptsResult:
        for path, text in self._form.assets().items():
            self._folder.write(path, [text])
        if self._form.together:
            self._folder.write_bytes(self._form.together, self._all_threads())
        else:
            self._write_pages()
        self._note_unlisted()
        result = self.result
        facts = {"threads": result.threads, "messages": result.messages, "complete": result.is_complete}
        result.removed = self._folder.finish(facts)
        return result

    def _note_unlisted(self) -> None:
        """Say where the snapshot does not have all threads."""
        state, reason = self._snapshot.listing_state("thread", "")
        if state != "complete":
            reason = f"the list of threads was not read completely: {reason or state or 'it was not read'}"
            self.result.incomplete.append(TranscriptFailure("thread", "*", reason))
        elif reason:
            self.result.notes.append(f"note: {reason}")

    def _bodies(self) -> Iterator[StoredBody]:
        """The bodies of the threads, in the order of their listing, each once."""
        for _, body in self._snapshot.bodies("thread", ""):
            if self._threads is None or str(body.get("id")) in self._threads:
                yield body

    def _all_threads(self) -> Iterator[bytes]:
        """All threads, for a form that has them in one file. A thread comes whole or not at all."""
        for body in self._bodies():
            with tempfile.SpooledTemporaryFile(MAX_THREAD_IN_MEMORY) as whole:
                with self._noting_damage(body) as noted:
                    summary = self._reader.summarize(body)
                    page = self._page(body, summary, FolderLinks(self._copied, ""))
                    for piece in self._form.thread(page):
                        whole.write(redact(piece).encode("utf-8", "backslashreplace"))
                if not noted:
                    self._count(summary)
                    whole.seek(0)
                    yield from iter(lambda: whole.read(COPIED_BYTES), b"")

    def _write_pages(self) -> None:
        with closing(SortedRows()) as rows:
            for body in self._bodies():
                if row := self._write_thread(body):
                    rows.add(row)
            self._write_index(rows)

    def _write_thread(self, body: StoredBody) -> ListedThread | None:
        """The pages of a thread, and its row; None where the archive is damaged there."""
        row: ListedThread | None = None
        with self._noting_damage(body):
            summary = self._reader.summarize(body)
            row = ListedThread(summary, self._write_thread_pages(body, summary))
            self._count(summary)
        return row

    def _write_thread_pages(self, body: StoredBody, summary: TranscriptSummary) -> str:
        """Write the pages of a thread; returns the path of the first one."""
        folder, root = self._place()
        size = self._form.page_messages or max(summary.count, 1)
        starts = range(1, max(summary.count, 1) + 1, size)
        stem, extension = thread_stem(summary.id), self._form.extension
        names = [f"{stem}{f'.{n}' if n > 1 else ''}{extension}" for n, _ in enumerate(starts, 1)]
        page = replace(self._page(body, summary, FolderLinks(self._copied, root)), names=names, root=root)
        for number, start in enumerate(starts, 1):
            conversation = partial(self._reader.read_body, body, start, size)
            part = replace(page, conversation=conversation, number=number)
            self._folder.write(f"{folder}{names[number - 1]}", self._form.thread(part))
        return f"{folder}{names[0]}"

    def _page(self, body: StoredBody, summary: TranscriptSummary, links: ConversationLinks) -> TranscriptPage:
        """A thread as one page."""
        return TranscriptPage(
            summary,
            partial(self._reader.read_body, body),
            partial(_transcript, self._snapshot, self._reader, summary.id),
            links,
        )

    @contextmanager
    def _noting_damage(self, body: StoredBody) -> Iterator[list[TranscriptFailure]]:
        """Note a thread that is damaged in the archive, and continue with the next one."""
        noted: list[TranscriptFailure] = []
        try:
            yield noted
        except (PackDamaged, JSONTooDeep, RecursionError, json.JSONDecodeError) as error:
            reason = f"it is damaged in the archive: {error}"
            noted.append(TranscriptFailure("thread", str(body.get("id")), reason))
            self.result.failed += noted
            self._progress.count(THREADS)

    def _place(self) -> tuple[str, str]:
        """The folder of the next thread, and the way back from it."""
        if not self._has_subfolders:
            return "threads/", "../"
        return f"threads/{self.result.threads // THREADS_PER_FOLDER + 1:03d}/", "../../"

    def _write_index(self, rows: SortedRows) -> None:
        times, pages = rows.pages(self._form.index_rows)
        end = self._form.extension
        paths = [f"index{f'-{n}' if n > 1 else ''}{end}" for n in range(1, len(times) + 1)]
        listed = [(path, *span) for path, span in zip(paths, times, strict=True)]
        info = self._snapshot.info
        for number, page in enumerate(pages, 1):
            index = IndexPage(
                number, page, listed, len(rows), rows.incomplete, f"{info.type} {info.url}", info.id
            )
            self._folder.write(paths[number - 1], self._form.index(index))

    def _count(self, summary: TranscriptSummary) -> None:
        self.result.threads += 1
        self.result.messages += summary.count
        if summary.gap:
            self.result.incomplete.append(TranscriptFailure("thread", summary.id, summary.gap))
        self._progress.count(THREADS)
        self._progress.count(MESSAGES, summary.count)
