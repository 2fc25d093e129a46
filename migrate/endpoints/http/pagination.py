"""A listing in, its pages out: never takes a failed page for the end, never circles on a server that
ignores `after`, and does not believe a full page that calls itself the last.

The end is said by `has_more: false` on a page with fewer rows than were asked for. Behind a full page that
says so one more page is asked for: servers were seen that say it of every page. Where a service leaves
`has_more` out (Foundry's files), the end is an empty page or one that only repeats the page before it. A page
that repeats although more was promised is an error, and so are an empty page that promises more and one that
leads back to older pages: what lies behind it cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from migrate.endpoints.interface import Body, Page
from migrate.errors import PaginationError, RequestFailed
from migrate.model.known_secrets import redact

# Ids that are kept as they are.
MAX_PLAIN_IDS = 2_000
# Into which the hashes of more fall: a look searches one, of 300 bytes at 100,000 ids.
ID_HASH_BUCKETS = 4096
# Bytes of a hash. Two of 100,000 ids share one with a chance of 1 in 10 to the 19th.
ID_HASH_BYTES = 12


class SeenIds:
    """The ids of one listing."""

    def __init__(self) -> None:
        self._plain: set[str] = set()
        self._buckets: list[bytearray] = []

    def add(self, id_: str) -> bool:
        """Whether an id was not there yet; from now on it is."""
        if self._buckets:
            return self._keep(id_)
        if id_ in self._plain:
            return False
        self._plain.add(id_)
        if len(self._plain) > MAX_PLAIN_IDS:
            self._buckets = [bytearray() for _ in range(ID_HASH_BUCKETS)]
            for few in self._plain:
                self._keep(few)
            self._plain = set()
        return True

    def _keep(self, id_: str) -> bool:
        mark = blake2b(id_.encode(errors="surrogatepass"), digest_size=ID_HASH_BYTES).digest()
        bucket = self._buckets[int.from_bytes(mark[:2], "big") % ID_HASH_BUCKETS]
        at = bucket.find(mark)
        while at > 0 and at % ID_HASH_BYTES:  # across two hashes
            at = bucket.find(mark, at + 1)
        if at >= 0:
            return False
        bucket += mark
        return True


# Rows a page of servers that ignore `limit`, or take less than was asked for. 20 is the number of every
# description of these listings; the others are those that servers usually have of their own.
COMMON_PAGE_SIZES = frozenset({20, 25, 50})
# So much is told of an error in an answer that has the status of a good one.
MAX_ERROR_CHARS = 300
# Answers of a server that cannot be asked for what lies behind a page.
NO_NEXT_PAGE_STATUSES = frozenset({400, 404, 405, 410, 422, 501})
# `has_more` of a server that does not write it as JSON's true and false.
HAS_MORE_SPELLINGS = {"true": True, "1": True, "false": False, "0": False}
# Keys of an envelope that tell how many rows the whole listing has. No description knows them; some servers
# send them, and a listing that is shorter than it calls itself is not whole.
TOTAL_KEYS = ("total", "total_count")


@dataclass
class _Listing:
    """One listing while it is read. `limit` is the number of rows asked for a page, 0 if unknown."""

    fetch: Callable[[str], Body]
    asked: str
    limit: int
    seen: SeenIds = field(default_factory=SeenIds)
    given: int = 0
    total: int = 0

    def rows(self, envelope: Body) -> list[Body]:
        """The rows of a page. Raises `RequestFailed` where they are no rows, or beside an error: a proxy may
        put one into a listing of nothing."""
        if error := envelope.get("error"):
            message = error.get("message") if isinstance(error, dict) else error
            said = redact(" ".join(str(message or error).split()))[:MAX_ERROR_CHARS]
            raise RequestFailed(f"GET {self.asked} answered with an error: {said}")
        rows = envelope.get("data")
        if not isinstance(rows, list):
            raise RequestFailed(f"GET {self.asked} answered without a `data` list")
        if not all(isinstance(row, dict) and row.get("id") for row in rows):
            raise RequestFailed(f"GET {self.asked} answered with a row that is no object or has no id")
        for name in TOTAL_KEYS:
            if type(count := envelope.get(name)) is int:
                self.total = count
        return rows

    def new_rows(self, rows: list[Body]) -> list[Body]:
        """The rows that were not there yet. Raises `RequestFailed` where one page has two different rows
        of one id: nobody can tell which of them is the object."""
        fresh = [row for row in rows if self.seen.add(str(row["id"]))]
        self.given += len(fresh)
        if len(fresh) < len(rows):
            first: dict[str, Body] = {}
            for row in rows:
                if first.setdefault(str(row["id"]), row) != row:
                    raise RequestFailed(f"GET {self.asked} gives two different rows of id {row['id']}")
        return fresh

    def is_full(self, rows: list[Body]) -> bool:
        """Whether a page has so many rows that more may lie behind it, whatever it says."""
        return bool(self.limit) and (len(rows) >= self.limit or len(rows) in COMMON_PAGE_SIZES)

    def page_after(self, after: str, doubted: bool) -> Body | None:
        """The page behind a row. None where the server said there is none (`doubted`) and cannot be asked."""
        try:
            return self.fetch(after)
        except RequestFailed as failed:
            if doubted and failed.status in NO_NEXT_PAGE_STATUSES:
                return None
            raise

    def check_end(self, repeated: list[Body], before: list[Body]) -> None:
        """Raises `PaginationError` where the last page is not known to be the end: all its rows are
        `repeated`, and the page `before` it had exactly the number asked for, or they are not that page's; or
        fewer rows came than were counted."""
        if repeated and len(before) == self.limit > 0:
            raise PaginationError(
                f"GET {self.asked} repeats its {len(before):,} rows, as many as were asked for: the server "
                "ignores `after`, and more may lie behind them"
            )
        if {str(row["id"]) for row in repeated} - {str(row["id"]) for row in before}:
            raise PaginationError(
                f"GET {self.asked} leads back to rows that came before: more may lie behind them"
            )
        if self.given < self.total:
            raise PaginationError(f"GET {self.asked} counts {self.total:,} rows and gives {self.given:,}")


def read_has_more(value: object) -> bool | None:
    """What `has_more` says, in whatever spelling; None where it says nothing."""
    return value if isinstance(value, bool) else HAS_MORE_SPELLINGS.get(str(value).lower())


def iter_pages(fetch: Callable[[str], Body], asked: str, after: str = "", limit: int = 0) -> Iterator[Page]:
    """Every page of a listing. `fetch` takes a cursor ('' for the start); `limit` is how many rows it asks
    for (0: unknown). Rows seen twice are dropped. Raises `RequestFailed`, and `PaginationError` where the
    listing cannot be read to its end."""
    listing = _Listing(fetch, asked, limit)
    resumed, doubted, before = bool(after), False, list[Body]()
    while True:
        envelope = listing.page_after(after, doubted)
        rows = listing.rows(envelope) if envelope is not None else []
        more = read_has_more(envelope.get("has_more")) if envelope is not None else False
        fresh = listing.new_rows(rows)
        if more is True and not rows:
            raise PaginationError(f"GET {asked} promises more but gives an empty page after {after!r}")
        if more is True and not fresh:
            raise PaginationError(f"GET {asked} repeats its rows: the server ignores `after`")
        doubted = more is False and listing.is_full(rows)
        ended = not fresh or (more is False and not doubted)
        if fresh:
            after = str(rows[-1]["id"])
            yield Page(fresh, "" if ended else after)
        if ended:
            listing.total = (
                0 if resumed else listing.total
            )  # what came before the cursor was not counted here
            listing.check_end([] if fresh else rows, before)
            return
        before = rows
