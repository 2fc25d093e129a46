"""How much is taken from outside: one row for each limit. A limit that is hit is always told, by its name.

Whoever reads something that others made (a service, a file, an archive) bounds it by a row of this table.
The numbers are generous: nothing that a service is described to give comes near them.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Bound:
    """One limit: the most that is taken, in a unit, and of what."""

    most: int
    unit: str
    of: str

    def told(self) -> str:
        """In words, for a message: "more than 128 MiB in one answer"."""
        in_mib = self.unit == "bytes" and self.most >= MIB
        amount = f"{self.most // MIB:,} MiB" if in_mib else f"{self.most:,} {self.unit}"
        return f"more than {amount} {self.of}"


# A page of 100 messages of 256,000 characters each (the most that services take) is 26 million characters.
ANSWER = Bound(128 * MIB, "bytes", "in one answer")

# Larger answers are read by one thread after the other, so that memory is bounded by the size of one.
ANSWER_READ_ALONE = Bound(8 * MIB, "bytes", "in one answer")

# An error is read for its words; the longest page of a gateway that was recorded has some kilobytes.
ERROR = Bound(1 * MIB, "bytes", "in one answer that tells an error")

# Services take files of up to 512 MB ("maximum file size" of OpenAI and Azure). Where none tells the size.
FILE = Bound(2048 * MIB, "bytes", "in one file")

# Ids of services have up to 64 signs; names of agents, which are ids too, up to 63.
ID = Bound(2048, "characters", "in one id")

# Each value of an answer takes memory beside its text: 128 MiB of brackets would become gigabytes.
# A page of 100 messages has some thousand values; texts in it that are full of commas count as well.
VALUES = Bound(10_000_000, "values", "in one answer")

# Tools and schemas that services take have some ten levels; `pydantic_core.from_json`, which reads what it
# can first, stops at 201. Higher than any Python could go, an object could be read and not be compared.
DEPTH = Bound(200, "levels", "in one document")

# Bodies lie together in packs of 32 KiB, or alone. One whose text has signs that are spelled out when it is
# stored (`\u0436` for two bytes) can be three times as long as in the answer that it came in.
UNPACKED = Bound(3 * ANSWER.most, "bytes", "unpacked from one place of an archive")
