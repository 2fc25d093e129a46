"""The places of the rows of a listing that have a value: the messages of a run, the files of a purpose.

The first question about a listing reads all of it. What it learns is kept, so that the next pages of the same
list cost what other pages cost.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence

from migrate.archive.bodies import load_body
from migrate.archive.snapshots.listing_by_place import PlacedListing
from migrate.model.json_paths import value_at

# Rows of all listings that are kept. Each takes 12 bytes.
MAX_KEPT_ROWS = 1_000_000

# The keys that lead to a value in a body.
KeyPath = tuple[str, ...]


class NeedsTime(Exception):
    """A request that was begun in haste, on the thread of the server, has to be answered by a worker."""


class _PlacesByValue:
    """The places of the rows with each value. Values are kept as hashes of 64 bits: that two of a million
    values have the same one is less likely than 1 in 10 to the 7th."""

    def __init__(self, listing: PlacedListing, path: KeyPath) -> None:
        hashes, places = array("q"), array("L")
        for place, text in enumerate(listing.texts(range(len(listing)))):
            value = value_at(load_body(text), *path)
            if isinstance(value, str):
                hashes.append(hash(value))
                places.append(place)
        order = sorted(range(len(hashes)), key=hashes.__getitem__)  # equal ones stay in order
        self._hashes = array("q", map(hashes.__getitem__, order))
        self._places = array("L", map(places.__getitem__, order))

    def __len__(self) -> int:
        return len(self._hashes)

    def places(self, value: str) -> Sequence[int]:
        """The places of the rows with a value, ascending."""
        wanted = hash(value)
        start = bisect_left(self._hashes, wanted)
        return self._places[start : bisect_right(self._hashes, wanted)]


class RowFilters:
    """Finds rows by a value, in any listing of an archive. Many threads may use it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, KeyPath], _PlacesByValue] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = threading.Lock()

    def places(
        self, listing: PlacedListing, path: KeyPath, value: str, is_hasty: bool = False
    ) -> Sequence[int]:
        """The places of the rows that have this text at a path, ascending. Raises `NeedsTime` for a request
        in haste (`is_hasty`) where the whole listing has to be read."""
        key = (listing.row.sha or b"", path)
        if (found := self._find(key)) is not None:
            return found.places(value)
        if is_hasty:
            raise NeedsTime
        with self._reading:  # one listing at a time: several requests may ask for the same one
            found = self._find(key)
            if found is None:
                found = _PlacesByValue(listing, path)
                if listing.row.sha:  # without a hash, the listing is still being written
                    self._keep(key, found)
        return found.places(value)

    def _find(self, key: tuple[bytes, KeyPath]) -> _PlacesByValue | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _keep(self, key: tuple[bytes, KeyPath], found: _PlacesByValue) -> None:
        with self._lock:
            self._kept[key] = found
            while sum(map(len, self._kept.values())) > MAX_KEPT_ROWS and len(self._kept) > 1:
                self._kept.popitem(last=False)
