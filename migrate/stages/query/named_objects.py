"""Files and assistants of a snapshot by the ids in a conversation. Those found last are cached."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from migrate.archive.blobs import read_first_bytes
from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.model.entity import JSON
from migrate.model.file import BYTES_FROM_PARSED_TEXT
from migrate.model.image_type import IMAGE_HEAD_BYTES, image_type_of
from migrate.model.results.conversation import FileReference
from migrate.model.secrets import mask_text
from migrate.stages.query.message_parts import as_text

# Maximum number of cached objects: an estate may have 100,000 files, and a thread refers to few of them.
MAX_REMEMBERED = 4_096


class NamedObjects:
    """Looks for files and assistants of one snapshot. As many threads may use it as may use the snapshot."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot
        self.file: Callable[[str], FileReference] = lru_cache(MAX_REMEMBERED)(self._find_file)
        self.assistant_name: Callable[[str], str] = lru_cache(MAX_REMEMBERED)(self._find_assistant_name)

    def _find_file(self, id_: str) -> FileReference:
        """The file of an id; only with its id where the snapshot does not have it."""
        body = self._find("file", id_)
        blob = self._snapshot.blob(id_)
        size = body.get("bytes")
        if blob is None:
            return FileReference(id_, as_text(body.get("filename")), size if type(size) is int else None)
        head = read_first_bytes(self._snapshot.conn, blob, IMAGE_HEAD_BYTES)
        parsed = blob.origin == BYTES_FROM_PARSED_TEXT
        return FileReference(
            id_, as_text(body.get("filename")), blob.size, True, image_type_of(head), is_parsed_text=parsed
        )

    def _find_assistant_name(self, id_: str) -> str:
        """The name of an assistant without credentials, or '' where it has none or the snapshot does not have
        it."""
        return mask_text(as_text(self._find("assistant", id_).get("name") or ""))

    def _find(self, kind: str, id_: str) -> dict[str, JSON]:
        if not id_:
            return {}
        found = self._snapshot.find(storable_text(id_))
        return next((body for of, _, body in found if of == kind), {})
