"""Ids in, whether each is new out: exact for few; for many by 96 bits of a hash, in an eighth of the memory.

A listing may hold 100,000 objects, and dozens of them are read at once.
"""

from __future__ import annotations

from hashlib import blake2b

FEW = 2_000
"""Ids that are kept as they are."""
BUCKETS = 4096
"""Into which the hashes of more fall: a look searches one, of 300 bytes at 100,000 ids."""
SIZE = 12
"""Bytes of a hash. Two of 100,000 ids share one with a chance of 1 in 10 to the 19th."""


class Seen:
    """The ids of one listing."""

    def __init__(self) -> None:
        self._few: set[str] = set()
        self._many: list[bytearray] = []

    def new(self, id_: str) -> bool:
        """Whether an id was not there yet; from now on it is."""
        if self._many:
            return self._keep(id_)
        if id_ in self._few:
            return False
        self._few.add(id_)
        if len(self._few) > FEW:
            self._many = [bytearray() for _ in range(BUCKETS)]
            for few in self._few:
                self._keep(few)
            self._few = set()
        return True

    def _keep(self, id_: str) -> bool:
        mark = blake2b(id_.encode(errors="surrogatepass"), digest_size=SIZE).digest()
        bucket = self._many[int.from_bytes(mark[:2], "big") % BUCKETS]
        at = bucket.find(mark)
        while at > 0 and at % SIZE:  # across two hashes
            at = bucket.find(mark, at + 1)
        if at >= 0:
            return False
        bucket += mark
        return True
