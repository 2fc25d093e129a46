"""Addresses of pages. An id is always one percent-encoded segment of a path, whatever characters it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote, urlencode

# Segments that browsers remove from a path, also where they are percent-encoded.
REMOVED_SEGMENTS = frozenset({"", ".", ".."})
# Comes before an id that would be such a segment, or that begins with this character.
SEGMENT_ESCAPE = "~"
# The place of the marked passage in the page of a file.
QUOTE_ANCHOR = "cited"


def id_segment(id_: str) -> str:
    """An id as one segment of a path."""
    escape = SEGMENT_ESCAPE if id_ in REMOVED_SEGMENTS or id_.startswith(SEGMENT_ESCAPE) else ""
    return escape + quote(id_, safe="", errors="surrogatepass")


def segment_id(segment: str) -> str:
    """The id that `id_segment` made a segment of. Bytes that are no UTF-8 become U+FFFD."""
    return unquote(segment.removeprefix(SEGMENT_ESCAPE), errors="replace")


def with_query(path: str, query: Mapping[str, object]) -> str:
    """A path with a query of everything that has a value."""
    given = {name: str(value) for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given, errors='surrogatepass')}" if given else path


class PageLinks:
    """Addresses of the pages of one snapshot."""

    def __init__(self, snapshot: int) -> None:
        self.snapshot = snapshot
        self._base = f"/snapshots/{snapshot}/"

    def overview(self) -> str:
        """What the snapshot has."""
        return self._base

    def threads(self, **query: object) -> str:
        """The table of threads."""
        return with_query(f"{self._base}threads", query)

    def thread(self, id_: str, **query: object) -> str:
        """A thread as a conversation; `from`: the number of the first message shown."""
        return with_query(f"{self._base}threads/{id_segment(id_)}", query)

    def message(self, thread: str, id_: str) -> str:
        """A message in its thread, wherever it stands there."""
        return f"{self.thread(thread, message=id_)}#m-{quote(id_, safe='', errors='surrogatepass')}"

    def run(self, thread: str, id_: str) -> str:
        """A run in its thread, wherever it stands there."""
        return f"{self.thread(thread, run=id_)}#r-{quote(id_, safe='', errors='surrogatepass')}"

    def message_body(self, thread: str, id_: str) -> str:
        """A message as the service returned it."""
        return f"{self.thread(thread)}/messages/{id_segment(id_)}"

    def assistants(self, **query: object) -> str:
        """The table of assistants."""
        return with_query(f"{self._base}assistants", query)

    def assistant(self, id_: str, **query: object) -> str:
        """An assistant with its versions."""
        return with_query(f"{self._base}assistants/{id_segment(id_)}", query)

    def files(self, **query: object) -> str:
        """The table of files."""
        return with_query(f"{self._base}files", query)

    def file(self, id_: str, quote: str = "") -> str:
        """A file, and who uses it. `quote`: a passage of its text that is marked."""
        path = with_query(f"{self._base}files/{id_segment(id_)}", {"quote": quote})
        return f"{path}#{QUOTE_ANCHOR}" if quote else path

    def file_content(self, id_: str, inline: bool = False) -> str:
        """The bytes of a file. `inline`: an image to be shown in a page."""
        return with_query(f"{self.file(id_)}/content", {"inline": "1" if inline else ""})

    def vector_stores(self, **query: object) -> str:
        """The table of vector stores."""
        return with_query(f"{self._base}vector-stores", query)

    def vector_store(self, id_: str, **query: object) -> str:
        """A vector store and the files in it."""
        return with_query(f"{self._base}vector-stores/{id_segment(id_)}", query)

    def search(self, text: str = "", **query: object) -> str:
        """Results of a search."""
        return with_query(f"{self._base}search", {"q": text, **query})

    def jump(self, text: str = "") -> str:
        """To the object of an id or a name."""
        return with_query("/jump", {"snapshot": self.snapshot, "q": text})

    def compare(self, left: int | None = None, right: int | None = None) -> str:
        """The comparison of two snapshots."""
        return with_query("/compare", {"left": left, "right": right or self.snapshot})

    def object(self, kind: str, id_: str) -> str:
        """The page of an object of a kind that has pages, else ''."""
        pages: dict[str, Callable[[str], str]] = {
            "assistant": self.assistant,
            "thread": self.thread,
            "file": self.file,
            "vector_store": self.vector_store,
        }
        page = pages.get(kind)
        return page(id_) if page else ""
