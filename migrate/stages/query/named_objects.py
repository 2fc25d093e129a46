"""Files, assistants and stores of a snapshot by the ids in a conversation. Those found last are cached.

A conversation outlives what it names: what was deleted since has its name in an earlier snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, islice

from migrate.archive.blobs import read_first_bytes
from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.model.entity import JSON
from migrate.model.file import BYTES_FROM_PARSED_TEXT
from migrate.model.image_type import IMAGE_HEAD_BYTES, image_type_of
from migrate.model.results.archive import StoredBody
from migrate.model.results.conversation import FileReference
from migrate.model.secrets import mask_text
from migrate.stages.query.message_parts import as_text

# Maximum number of cached objects: an estate may have 100,000 files, and a thread refers to few of them.
MAX_REMEMBERED = 4_096
# Other snapshots in which an object is looked for, the newest first.
MAX_OTHER_SNAPSHOTS = 20


class NamedObjects:
    """Looks for objects of one snapshot, else in other snapshots of the same estate. As many threads may use
    it as may use the snapshot."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot
        self.file: Callable[[str], FileReference] = lru_cache(MAX_REMEMBERED)(self._find_file)
        self.assistant_name: Callable[[str], str] = lru_cache(MAX_REMEMBERED)(self._find_assistant_name)
        self._others: tuple[SnapshotReader, ...] | None = None

    def _find_file(self, id_: str) -> FileReference:
        """The file of an id; only with its id where no snapshot has it."""
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
        """The name of an assistant without credentials, or '' where it has none or no snapshot has it."""
        return mask_text(as_text(self._find("assistant", id_).get("name") or ""))

    def author(self, id_: str) -> str:
        """The name of an assistant, or its id where it has none."""
        return self.assistant_name(id_) or id_

    def store_name(self, id_: str) -> str:
        """The name of a vector store without credentials, or ''."""
        return mask_text(as_text(self._find("vector_store", id_).get("name") or ""))

    def _find(self, kind: str, id_: str) -> dict[str, JSON]:
        stored_id = storable_text(id_)
        for snapshot in chain((self._snapshot,), self._other_snapshots()) if id_ else ():
            if (body := snapshot.body_of(kind, stored_id)) is not None:
                return body
        return {}

    def _other_snapshots(self) -> Iterator[SnapshotReader]:
        """Other snapshots of the estate, read only when the first one is needed."""
        if self._others is None:
            here = self._snapshot.info
            infos = (
                info
                for info in reversed(list_snapshots(self._snapshot.conn))
                if (info.type, info.url) == (here.type, here.url) and info.id != here.id
            )
            self._others = tuple(
                SnapshotReader(self._snapshot.conn, info) for info in islice(infos, MAX_OTHER_SNAPSHOTS)
            )
        yield from self._others


def own_name(body: StoredBody) -> str:
    """The name in a body without credentials, or ''."""
    name: JSON = body.get("name") or body.get("filename")
    return mask_text(name) if isinstance(name, str) else ""
