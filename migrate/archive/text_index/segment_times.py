"""The times of the documents of a segment, four bytes each."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# Seconds after the oldest time of a segment that are kept exactly.
MAX_SECONDS_APART = (1 << 32) - 2


def pack_times(times: Sequence[int], oldest: int) -> bytes | None:
    """The times of the documents of a segment: four bytes each, seconds after the oldest and one more, 0
    where a time is not known. None where all are equal."""
    if all(at == oldest for at in times):
        return None
    apart = [0 if not at else min(at - oldest, MAX_SECONDS_APART) + 1 for at in times]
    return struct.pack(f"<{len(apart)}I", *apart)


def unpack_time(times: bytes | None, oldest: int, offset: int) -> int:
    """The time of a document of a segment in seconds since 1970; 0 where it is not known."""
    if times is None:
        return oldest
    apart = int.from_bytes(times[4 * offset : 4 * offset + 4], "little")
    return oldest + apart - 1 if apart else 0
