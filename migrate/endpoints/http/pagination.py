"""Reads all pages of a listing, and detects where it ends.

The end is a page with `has_more: false` and fewer rows than requested. After a full page with `has_more:
false`, one more page is requested, because some servers send `false` on every page. Where a service leaves
out `has_more` (files of Foundry), the end is an empty page, or a page that only repeats the page before
it. It is an error if a page repeats although `has_more` is true, if an empty page has `has_more: true`,
and if a page leads back to older pages: then the rest of the listing cannot be read. A failed page is
never treated as the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from migrate.endpoints.interface import Body, Page
from migrate.errors import PaginationError, RequestFailed
from migrate.model.known_secrets import redact

# Up to this many ids are stored as they are, more as hashes.
MAX_PLAIN_IDS = 2_000
# Hashes are distributed over these buckets; a lookup searches one, of 300 bytes at 100,000 ids.
ID_HASH_BUCKETS = 4096
# Bytes of a hash. Two of 100,000 ids share one with a chance of 1 in 10 to the 19th.
ID_HASH_BYTES = 12


class SeenIds:
    """The set of the ids of one listing, in little memory."""

    def __init__(self) -> None:
        self._plain: set[str] = set()
        self._buckets: list[bytearray] = []

    def add(self, id_: str) -> bool:
        """Add an id; False if it was already in the set."""
        if self._buckets:
            return self._add_hash(id_)
        if id_ in self._plain:
            return False
        self._plain.add(id_)
        if len(self._plain) > MAX_PLAIN_IDS:
            self._buckets = [bytearray() for _ in range(ID_HASH_BUCKETS)]
            for plain_id in self._plain:
                self._add_hash(plain_id)
            self._plain = set()
        return True

    def _add_hash(self, id_: str) -> bool:
        digest = blake2b(id_.encode(errors="surrogatepass"), digest_size=ID_HASH_BYTES).digest()
        bucket = self._buckets[int.from_bytes(digest[:2], "big") % ID_HASH_BUCKETS]
        position = bucket.find(digest)
        while position > 0 and position % ID_HASH_BYTES:  # a match that spans two hashes
            position = bucket.find(digest, position + 1)
        if position >= 0:
            return False
        bucket += digest
        return True


# Page sizes of servers that ignore `limit` or allow less than requested. 20 is the default in every API
# description of these listings; 25 and 50 are common defaults of other servers.
COMMON_PAGE_SIZES = frozenset({20, 25, 50})
# Of an error in an answer with a good status, at most this much is shown.
MAX_ERROR_CHARS = 300
# Statuses with which a server refuses to send the page after a given row.
NO_NEXT_PAGE_STATUSES = frozenset({400, 404, 405, 410, 422, 501})
# `has_more` as sent by a server that does not use JSON's true and false.
HAS_MORE_SPELLINGS = {"true": True, "1": True, "false": False, "0": False}
# Keys with the number of rows of the whole listing. No API description has them, but some servers send
# them. A listing with fewer rows than that is incomplete.
TOTAL_KEYS = ("total", "total_count")


@dataclass
class _Listing:
    """A listing while it is read. `limit`: requested rows per page, 0 if unknown; `row_count`: rows so
    far; `total`: rows that the server reports for the whole listing, 0 if it does not."""

    fetch: Callable[[str], Body]
    path: str
    limit: int
    seen: SeenIds = field(default_factory=SeenIds)
    row_count: int = 0
    total: int = 0

    def rows(self, envelope: Body) -> list[Body]:
        """The rows of a page. Raises `RequestFailed` if there are none, and if the page contains an error:
        a proxy may send an empty listing with an error in it."""
        if error := envelope.get("error"):
            message = error.get("message") if isinstance(error, dict) else error
            reason = redact(" ".join(str(message or error).split()))[:MAX_ERROR_CHARS]
            raise RequestFailed(f"GET {self.path} answered with an error: {reason}")
        rows = envelope.get("data")
        if not isinstance(rows, list):
            raise RequestFailed(f"GET {self.path} answered without a `data` list")
        if not all(isinstance(row, dict) and row.get("id") for row in rows):
            raise RequestFailed(f"GET {self.path} answered with a row that is not an object or has no id")
        for name in TOTAL_KEYS:
            if type(count := envelope.get(name)) is int:
                self.total = count
        return rows

    def new_rows(self, rows: list[Body]) -> list[Body]:
        """The rows whose ids were not on an earlier page. Raises `RequestFailed` if one page has two
        different rows with the same id: then it is unknown which one is the object."""
        new = [row for row in rows if self.seen.add(str(row["id"]))]
        self.row_count += len(new)
        if len(new) < len(rows):
            by_id: dict[str, Body] = {}
            for row in rows:
                if by_id.setdefault(str(row["id"]), row) != row:
                    raise RequestFailed(f"GET {self.path} contains two different rows with id {row['id']}")
        return new

    def is_full(self, rows: list[Body]) -> bool:
        """Whether a page has so many rows that there may be another page, whatever `has_more` says."""
        return bool(self.limit) and (len(rows) >= self.limit or len(rows) in COMMON_PAGE_SIZES)

    def page_after(self, after: str, doubted: bool) -> Body | None:
        """The page after a row. `doubted`: the server reported that there is none; then None if it refuses
        the request."""
        try:
            return self.fetch(after)
        except RequestFailed as failed:
            if doubted and failed.status in NO_NEXT_PAGE_STATUSES:
                return None
            raise

    def check_end(self, repeated: list[Body], before: list[Body]) -> None:
        """Raise `PaginationError` if the last page may not be the end of the listing.

        `repeated`: its rows if all of them were on earlier pages; `before`: the rows of the page before
        it. It may not be the end if that page was full, if the repeated rows are from another page, or if
        fewer rows came than the server reported."""
        if repeated and len(before) == self.limit > 0:
            raise PaginationError(
                f"GET {self.path} repeats its {len(before):,} rows, as many as were requested: the server "
                "ignores `after`, and there may be more rows"
            )
        if {str(row["id"]) for row in repeated} - {str(row["id"]) for row in before}:
            raise PaginationError(
                f"GET {self.path} leads back to rows that came before; there may be more rows"
            )
        if self.row_count < self.total:
            raise PaginationError(f"GET {self.path} reports {self.total:,} rows and sends {self.row_count:,}")


def read_has_more(value: object) -> bool | None:
    """The value of `has_more` in any known spelling; None if it is missing or unknown."""
    return value if isinstance(value, bool) else HAS_MORE_SPELLINGS.get(str(value).lower())


def iter_pages(fetch: Callable[[str], Body], path: str, after: str = "", limit: int = 0) -> Iterator[Page]:
    """Every page of a listing after the cursor `after`, without rows that were on an earlier page.

    `fetch` requests the page after a cursor ('' for the first page); `path` is for messages; `limit`: how
    many rows `fetch` requests (0: unknown). Raises `RequestFailed`, and `PaginationError` if the listing
    cannot be read to its end."""
    listing = _Listing(fetch, path, limit)
    resumed, doubted, before = bool(after), False, list[Body]()
    while True:
        envelope = listing.page_after(after, doubted)
        rows = listing.rows(envelope) if envelope is not None else []
        more = read_has_more(envelope.get("has_more")) if envelope is not None else False
        new = listing.new_rows(rows)
        if more is True and not rows:
            raise PaginationError(f"GET {path} has `has_more: true` but sends an empty page after {after!r}")
        if more is True and not new:
            raise PaginationError(f"GET {path} repeats its rows: the server ignores `after`")
        doubted = more is False and listing.is_full(rows)
        ended = not new or (more is False and not doubted)
        if new:
            after = str(rows[-1]["id"])
            yield Page(new, "" if ended else after)
        if ended:
            if resumed:  # the rows before the cursor were not counted here
                listing.total = 0
            listing.check_end([] if new else rows, before)
            return
        before = rows
