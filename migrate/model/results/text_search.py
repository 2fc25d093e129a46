"""Results of a full-text search, of building its index, and of listing threads by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from migrate.model.entity import JSON

# Hits of one query that are ranked and counted: of a word that occurs everywhere, the newest.
MAX_RANKED_HITS = 10_000


@dataclass(frozen=True)
class TextHit:
    """An object that a query found.

    `name`: its own, or that of the assistant that wrote a message; '' without one. `field`: where the words
    of the excerpt are: content, name, instructions, metadata, and others. `at`: when it was created, in
    seconds since 1970; None where that is not known. `number`: the place of a message in its thread, from 1;
    0 for other kinds. `excerpt`: pieces of text in order; True: a word that was looked for. `first_words`:
    how the thread begins that the object is, or belongs to; '' without one. Credentials are masked.
    """

    kind: str
    id: str
    parent: str
    name: str
    field: str
    at: float | None
    role: str
    number: int
    excerpt: tuple[tuple[str, bool], ...]
    first_words: str = ""


@dataclass(frozen=True)
class SearchPage:
    """Some hits of a query, the best ones first. `count`: how many there are; where `is_bounded`, there are
    more than that, and only the newest `count` were ranked. `notes`: without hits, sentences about filters
    that cannot fit anything."""

    count: int
    is_bounded: bool
    hits: tuple[TextHit, ...]
    notes: tuple[str, ...] = ()

    @property
    def count_text(self) -> str:
        """The count as it is shown: `12` or `10,000+`."""
        return f"{self.count:,}{'+' if self.is_bounded else ''}"


@dataclass(frozen=True)
class ThreadFilters:
    """Which threads are listed. `after`, `before`: seconds since 1970; the newest message is not older than
    the first, and older than the second. `assistant`: id of one that answered in it. `meta`: pairs of a key
    of its metadata and a pattern for the value, which must all fit. `has_files`, `has_errors`: None for
    any."""

    after: int | None = None
    before: int | None = None
    assistant: str = ""
    meta: tuple[tuple[str, str], ...] = ()
    has_files: bool | None = None
    has_errors: bool | None = None


@dataclass(frozen=True)
class ThreadRow:
    """One thread in a list. Times are seconds since 1970, None where not known. `newest_at`: of its newest
    message. `first_words`: of its first message of a user, masked. `assistants`: id and name of those that
    answered in it. `has_files`, `has_errors`: None where there is no index to tell. `gap`: why messages are
    missing, or ''."""

    id: str
    newest_at: float | None
    created_at: float | None
    first_words: str
    count: int
    assistants: tuple[tuple[str, str], ...]
    metadata: Mapping[str, JSON]
    has_files: bool | None
    has_errors: bool | None
    gap: str


@dataclass(frozen=True)
class ThreadPage:
    """Some threads in order. `next_cursor`: from where the next page continues, '' after the last one.
    `is_indexed`: they are sorted by the index; else they are in the order of their listing."""

    rows: tuple[ThreadRow, ...]
    next_cursor: str
    is_indexed: bool


@dataclass(frozen=True)
class IndexResult:
    """What `index` did. `documents` and `characters`: what was added, and `files` among them: texts of files.
    `files_cut`: ids of files whose text is longer than what is indexed of one. `all_documents`: in the index
    now. `snapshots`: numbers of the snapshots that the index has now. `unfinished`: numbers of those that it
    does not have, because their reading was interrupted. `rebuilt`: why an earlier index was replaced, or
    ''."""

    documents: int
    characters: int
    files: int
    files_cut: tuple[str, ...]
    all_documents: int
    snapshots: tuple[int, ...]
    unfinished: tuple[int, ...]
    rebuilt: str = ""
