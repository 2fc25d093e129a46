"""Whether two snapshots can be compared in the memory that a server may take."""

from __future__ import annotations

from migrate.archive.snapshots.reader import SnapshotReader
from migrate.errors import BadUsage
from migrate.stages.estate import IN_MEMORY_KINDS

# Memory of an object that is compared: so many bytes, and so many times its JSON (measured with 10,000 files
# and with 60 assistants of 250,000 letters of several languages).
BYTES_AROUND, BYTES_OF_JSON = 1_000, 5
MAX_COMPARED_BYTES = 70_000_000


def check_comparison_size(left: SnapshotReader, right: SnapshotReader, archive: str) -> None:
    """Raise `BadUsage` where the assistants, files and vector stores of two snapshots of an archive would
    take more memory than a server has for them. Threads and messages are compared one by one."""
    needed = sum(
        BYTES_OF_JSON * side.listed_bytes(kind, "") + BYTES_AROUND * side.count(kind, "")
        for side in (left, right)
        for kind in IN_MEMORY_KINDS
    )
    if needed > MAX_COMPARED_BYTES:
        sides = " ".join(f"{archive}@{side.info.id}" for side in (left, right))
        raise BadUsage(
            f"snapshots {left.info.id} and {right.info.id} have too many assistants, files or vector stores "
            "to be compared here",
            f"it would take about {needed // 1_000_000:,} MB of memory",
            f"compare them with a command: assistants-migrate diff {sides} --format html -o report.html",
        )
