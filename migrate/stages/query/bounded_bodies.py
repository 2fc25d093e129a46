"""The bodies of a listing by place, with only so many members each, and with how long they are.

Those that were read last are kept: messages and runs are looked at several times to put them in order.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import NamedTuple

from migrate.archive.snapshots.reader import ListingBodies
from migrate.model.member_limit import MemberLimit, cut_members
from migrate.model.results.archive import StoredBody

# Characters of the bodies that are kept.
MAX_KEPT_CHARS = 300_000


class BoundedBody(NamedTuple):
    """A body; the characters of its JSON, as it was cut; how many members were left out."""

    body: StoredBody
    chars: int
    left_out: int


class BoundedBodies:
    """The bodies of one listing. `limit`: None keeps every member."""

    def __init__(self, listing: ListingBodies, limit: MemberLimit | None) -> None:
        self._listing, self._limit = listing, limit
        self._kept: OrderedDict[int, BoundedBody] = OrderedDict()
        self._kept_chars = 0

    def __len__(self) -> int:
        return len(self._listing)

    def read(self, place: int) -> StoredBody:
        """The body at a place, which must be less than the length."""
        return self.measure(place).body

    def measure(self, place: int) -> BoundedBody:
        """The body at a place, and what is known of it."""
        found = self._kept.get(place)
        if found is None:
            found = self._kept[place] = self._read(place)
            self._kept_chars += found.chars
            while self._kept_chars > MAX_KEPT_CHARS and len(self._kept) > 1:
                self._kept_chars -= self._kept.popitem(last=False)[1].chars
        return found

    def _read(self, place: int) -> BoundedBody:
        text = self._listing.text(place)
        body, left_out = self._listing.load(text), 0
        # Each member has a comma or is the only one: most bodies need no closer look.
        if self._limit is not None and text.count(",") >= self._limit.in_one:
            body, left_out = cut_members(body, self._limit)
        return BoundedBody(body, len(json.dumps(body)) if left_out else len(text), left_out)
