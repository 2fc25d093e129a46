"""Unpacked packs that several readers share, by the hash of their content, so none of an earlier state."""

from __future__ import annotations

import threading
from collections import OrderedDict

# Kind and texts of the bodies of an unpacked pack.
UnpackedPack = tuple[str, list[str]]


class PackCache:
    """The packs that were used last, up to `max_chars` characters. Many threads may use it."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._packs: OrderedDict[bytes, UnpackedPack] = OrderedDict()
        self._chars = 0
        self._lock = threading.Lock()

    def get(self, sha: bytes) -> UnpackedPack | None:
        """The pack with this hash, if it is kept."""
        with self._lock:
            unpacked = self._packs.get(sha)
            if unpacked is not None:
                self._packs.move_to_end(sha)
            return unpacked

    def add(self, sha: bytes, unpacked: UnpackedPack) -> None:
        """Keep a pack. The ones that were not used for the longest time make room for it."""
        with self._lock:
            if sha in self._packs:
                return
            self._packs[sha] = unpacked
            self._chars += count_chars(unpacked)
            while self._chars > self._max_chars:
                self._chars -= count_chars(self._packs.popitem(last=False)[1])


def count_chars(unpacked: UnpackedPack) -> int:
    """The characters of all bodies of a pack."""
    return sum(map(len, unpacked[1]))
