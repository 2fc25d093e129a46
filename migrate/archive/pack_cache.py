"""Unpacked packs that several readers share, by the hash of their content, so none of an earlier state."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict

# A pack that takes more is not kept: it has a giant body, and would take the place of many others.
MAX_KEPT_PACK_BYTES = 1 << 18
# Kind and texts of the bodies of an unpacked pack.
UnpackedPack = tuple[str, list[str]]


class PackCache:
    """The packs that were used last, up to `max_bytes` bytes of memory. Many threads may use it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        # Hash -> pack, and the bytes that it takes.
        self._packs: OrderedDict[bytes, tuple[UnpackedPack, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, sha: bytes) -> UnpackedPack | None:
        """The pack with this hash, if it is kept."""
        with self._lock:
            kept = self._packs.get(sha)
            if kept is None:
                return None
            self._packs.move_to_end(sha)
            return kept[0]

    def add(self, sha: bytes, unpacked: UnpackedPack) -> None:
        """Keep a pack. The ones that were not used for the longest time make room for it."""
        size = memory_bytes(unpacked)
        with self._lock:
            if sha in self._packs or size > MAX_KEPT_PACK_BYTES:
                return
            self._packs[sha] = unpacked, size
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._bytes -= self._packs.popitem(last=False)[1][1]


def memory_bytes(unpacked: UnpackedPack) -> int:
    """The bytes of memory that a pack takes: 1, 2 or 4 for each character, and some for each body."""
    return sys.getsizeof(unpacked[1]) + sum(map(sys.getsizeof, unpacked[1]))


def count_chars(unpacked: UnpackedPack) -> int:
    """The characters of all bodies of a pack."""
    return sum(map(len, unpacked[1]))
