"""Links of transcripts: to files that are copied beside them, or images that a single page contains."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote

from migrate.archive.blobs import read_verified_chunks
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.errors import ArchiveDamaged
from migrate.model.results.conversation import ConversationMessage, FileReference
from migrate.model.results.transcripts import ConversationLinks, TranscriptFailure, TranscriptsResult
from migrate.stages.transcripts.file_names import short_hash, stored_name
from migrate.stages.transcripts.folder import TranscriptFolder

# Files whose place is remembered, so that a file of many threads is copied once.
MAX_REMEMBERED_FILES = 10_000
# Characters of a text that are written at once.
TEXT_CHUNK_CHARS = 1 << 20
# A page that stands alone contains images of up to so many bytes each, and of so many together.
MAX_EMBEDDED_BYTES, MAX_ALL_EMBEDDED_BYTES = 10_000_000, 50_000_000


class CopiedFiles:
    """Copies files of a snapshot into a folder of transcripts, each once, after their hash was checked."""

    def __init__(self, snapshot: SnapshotReader, folder: TranscriptFolder, result: TranscriptsResult) -> None:
        self._snapshot, self._folder, self._result = snapshot, folder, result
        self.path = lru_cache(MAX_REMEMBERED_FILES)(self._copy)

    def _copy(self, file: FileReference) -> str:
        """The path of a file in the folder; '' where the archive does not have its bytes."""
        blob = self._snapshot.blob(file.id)
        if blob is None:
            self._result.without_bytes += 1
            return ""
        path = f"files/{blob.sha256[:12]}/{stored_name(file)}"
        if not self._folder.has(path):
            try:
                self._folder.write_bytes(path, read_verified_chunks(self._snapshot.conn, blob))
            except ArchiveDamaged as damage:
                reason = f"{damage.what}: {damage.why}"
                self._result.failed.append(TranscriptFailure("file", file.id, reason))
                return ""
        self._result.files += 1
        self._result.bytes += blob.size
        return path

    def text_path(self, text: str) -> str:
        """The path of a long text, written as a file."""
        path = f"texts/{short_hash(text)}/text.txt"
        if not self._folder.has(path):
            self._folder.write(path, _chunks(text))
        return path


def _chunks(text: str) -> Iterator[str]:
    return (text[start : start + TEXT_CHUNK_CHARS] for start in range(0, len(text), TEXT_CHUNK_CHARS))


class FolderLinks(ConversationLinks):
    """Links of one page to files in the folder. `root`: from the page to the folder."""

    def __init__(self, copied: CopiedFiles, root: str) -> None:
        self._copied, self._root = copied, root

    def file(self, file: FileReference) -> str:
        return self._address(self._copied.path(file))

    def image(self, file: FileReference) -> str:
        return self._address(self._copied.path(file))

    def whole_text(self, message: ConversationMessage | None, text: str) -> str:
        return self._address(self._copied.text_path(text))

    def _address(self, path: str) -> str:
        return f"{self._root}{quote(path)}" if path else ""


class EmbeddedImages(ConversationLinks):
    """Links of a page that stands alone: it contains its images, and names its files."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot
        self._left = MAX_ALL_EMBEDDED_BYTES

    def image(self, file: FileReference) -> str:
        blob = self._snapshot.blob(file.id)
        if blob is None or blob.size > min(self._left, MAX_EMBEDDED_BYTES):
            return ""
        try:
            content = b"".join(read_verified_chunks(self._snapshot.conn, blob))
        except ArchiveDamaged:
            return ""
        self._left -= len(content)
        return f"data:{file.image_type};base64,{base64.b64encode(content).decode('ascii')}"
