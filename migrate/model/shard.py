"""Shards of an estate: which of N readers reads an object, by its id alone, the same on every machine.

The shard of an id is the first 8 bytes of the SHA-256 of its UTF-8 form, as a big-endian number, modulo N,
plus 1. This rule must never change: archives of shards are joined by it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from migrate.errors import BadUsage
from migrate.model import JSON, KINDS

MAX_SHARDS = 10_000
# The shard that reads everything that is not in a thread.
FIRST_SHARD = 1


def shard_of_id(id_: str, total: int) -> int:
    """Which of `total` shards an id belongs to, from 1."""
    digest = hashlib.sha256(id_.encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big") % total + 1


def is_sharded(kind: str) -> bool:
    """Whether a kind is divided by thread; the first shard reads all other kinds."""
    return "thread" in (kind, KINDS[kind].parent)


def shard_reading(kind: str, parent: str, id_: str, total: int) -> int:
    """The shard that reads an object or, with an empty id, the listing below a parent."""
    if not is_sharded(kind):
        return FIRST_SHARD
    return shard_of_id(parent or id_, total)


@dataclass(frozen=True)
class Shard:
    """Shard `number` (from 1) of `total`."""

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`K/N`, as on the command line. Raises `BadUsage`."""
        match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
        number, total = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= total <= MAX_SHARDS:
            raise BadUsage(
                f"{text!r} is no shard",
                todo=f"write K/N, K from 1 to N and N at most {MAX_SHARDS:,}: --shard 2/8",
            )
        return cls(number, total)

    @classmethod
    def from_options(cls, options: Mapping[str, JSON]) -> Shard | None:
        """The shard in the stored options of a snapshot; None for a whole estate."""
        text = options.get("shard")
        return cls.parse(text) if isinstance(text, str) else None

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def contains(self, thread: str) -> bool:
        """Whether a thread is in this shard."""
        return shard_of_id(thread, self.total) == self.number

    def reads_kind(self, kind: str) -> bool:
        """Whether this shard reads anything of a kind."""
        return self.number == FIRST_SHARD or is_sharded(kind)

    @property
    def remark(self) -> str:
        """Why a thread that is not in the list of this shard may exist."""
        return f"shard {self.number} of {self.total}: the other shards read the other threads"

    def why_not_read(self, kind: str) -> str:
        """Why a kind is not in this shard, or ''."""
        return (
            ""
            if self.reads_kind(kind)
            else f"shard {self.number} of {self.total}: read by shard {FIRST_SHARD}"
        )
