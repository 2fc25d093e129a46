"""The table of threads: sorted by their newest message, filtered, page by page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from starlette.responses import Response

from migrate.archive.snapshots.reader import SnapshotReader
from migrate.errors import BadUsage
from migrate.model.results.text_search import ThreadFilters, ThreadPage
from migrate.model.selection import seconds_of_date
from migrate.serve.page_request import PageRequest
from migrate.stages.query.thread_list import ThreadSort, list_threads

SHOWN_THREADS = 50
# Value in the address -> (order of the list, its name).
SORTS: dict[str, tuple[ThreadSort, str]] = {
    "newest": ("newest", "newest message first"),
    "oldest": ("oldest", "oldest newest message first"),
    "listed": ("listed", "as the service listed them"),
}
# Assistants that the form offers; of more, the id is typed.
MAX_ASSISTANTS_OFFERED, MAX_OFFERED_CHARS = 200, 600
MAX_META_PAIRS = 8


@dataclass(frozen=True)
class ThreadForm:
    """What the user chose, as texts of the address."""

    after: str = ""
    before: str = ""
    assistant: str = ""
    meta: str = ""
    files: bool = False
    errors: bool = False
    sort: str = "newest"

    @classmethod
    def of(cls, request: PageRequest) -> ThreadForm:
        """Of a request."""
        query = request.query
        sort = query.get("sort", "")
        return cls(
            after=query.get("after", "").strip(),
            before=query.get("before", "").strip(),
            assistant=query.get("assistant", "").strip(),
            meta=query.get("meta", "").strip(),
            files=bool(query.get("files")),
            errors=bool(query.get("errors")),
            sort=sort if sort in SORTS else "newest",
        )

    @property
    def query(self) -> dict[str, object]:
        """The part of the address that repeats the choice."""
        return {
            "after": self.after, "before": self.before, "assistant": self.assistant, "meta": self.meta,
            "files": 1 if self.files else "", "errors": 1 if self.errors else "",
            "sort": "" if self.sort == "newest" else self.sort,
        }  # fmt: skip

    @property
    def is_filtered(self) -> bool:
        """Whether threads are left out."""
        return any((self.after, self.before, self.assistant, self.meta, self.files, self.errors))

    def filters(self) -> ThreadFilters:
        """What the index is asked for. Raises `BadUsage` for what cannot be read."""
        return ThreadFilters(
            after=_seconds(self.after),
            before=_seconds(self.before),
            assistant=self.assistant,
            meta=_pairs(self.meta),
            has_files=True if self.files else None,
            has_errors=True if self.errors else None,
        )


def threads_page(request: PageRequest) -> Response:
    """The table of threads."""
    form, refusal = ThreadForm.of(request), None
    found = ThreadPage((), "", is_indexed=True)
    try:
        cursor = request.query.get("cursor", "")
        found = list_threads(request.snapshot, form.filters(), SORTS[form.sort][0], cursor, SHOWN_THREADS)
    except BadUsage as error:  # shown above the form, so that it can be corrected
        refusal = error
    state, reason = request.snapshot.listing_state("thread")
    gap = "" if state == "complete" and not reason else reason or state or "not asked for"
    return request.answer(
        "threads.html.j2",
        "threads",
        form=form,
        refusal=refusal,
        found=found,
        total=request.snapshot.count("thread", ""),
        sorts=SORTS,
        assistants=_assistants(request),
        is_first=not request.query.get("cursor"),
        gap=gap,
        unread_messages=not request.snapshot.listing_state("thread")[0],
    )


def _assistants(request: PageRequest) -> list[tuple[str, str]]:
    """Id and name of the assistants that the form offers; none where there are too many."""
    snapshot = request.snapshot
    if snapshot.count("assistant", "") > MAX_ASSISTANTS_OFFERED:
        return []
    return request.access.remember(("assistants", snapshot.info.id), lambda: _read_assistants(snapshot))


def _read_assistants(snapshot: SnapshotReader) -> list[tuple[str, str]]:
    rows = [
        (str(body.get("id", "")), str(body.get("name") or body.get("id", ""))[:MAX_OFFERED_CHARS])
        for _, body in snapshot.bodies("assistant")
    ]
    names = Counter(name for _, name in rows)  # of equal names the ids are shown, too
    named = [(id_, name if names[name] == 1 else f"{name} [{id_}]") for id_, name in rows]
    return sorted(named, key=lambda row: row[1].casefold())


def _seconds(text: str) -> int | None:
    if not text:
        return None
    try:
        return seconds_of_date(text)
    except ValueError:
        raise BadUsage(f"{text[:80]!r} is not a date", todo="write it as 2026-08-26") from None


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of metadata: KEY=VALUE, separated by a comma."""
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(",")[:MAX_META_PAIRS])):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise BadUsage(f"{part[:80]!r} is no pair of metadata", todo="write it as KEY=VALUE, or KEY=*")
        pairs.append((key.strip(), value.strip()))
    return tuple(pairs)
