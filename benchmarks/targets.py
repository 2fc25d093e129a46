"""The declared targets: what is measured, which way it must lie from the bound, and where that is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RATE = "set for the project: storing, hashing and journalling may cost 30 % of the transport's rate"
PEERS = "one client, one request at a time, pages of 20 moved 340 messages a second where this was set"
LEAST = "the API's own limits: pages of 100, 20 items a call, 32 messages in a new thread, 500 files a batch"
FLAT = "set for the project: memory must not grow with the estate"
SIZE = "set for the project: bodies packed, yet open to SQL"
START = "set for the project: a command must feel instant"


@dataclass(frozen=True)
class Target:
    """One row. `quick`: measured by `make bench-quick` too."""

    key: str
    words: str
    sign: Literal[">=", "<="]
    bound: float
    source: str
    quick: bool = True

    def met(self, value: float) -> bool:
        """Whether a measured value lies where it should."""
        return value >= self.bound if self.sign == ">=" else value <= self.bound


TARGETS = (
    Target("snapshot_floor", "snapshot: rate / floor's rate", ">=", 0.7, RATE),
    Target("snapshot_peers", "snapshot: rate / peers' rate", ">=", 80, PEERS),
    Target("snapshot_requests", "snapshot: requests / least possible", "<=", 1.1, LEAST),
    Target("again_requests", "unchanged: requests beside the lists, a thread", "<=", 1.0, LEAST),
    Target("again_bytes", "unchanged: bytes added / archive", "<=", 0.01, SIZE),
    Target("assistants_floor", "apply to Assistants: rate / floor's rate", ">=", 0.7, RATE),
    Target("assistants_requests", "apply to Assistants: requests / least possible", "<=", 1.1, LEAST),
    Target("foundry_floor", "apply to Foundry: rate / floor's rate", ">=", 0.7, RATE),
    Target("foundry_requests", "apply to Foundry: requests / least possible", "<=", 1.1, LEAST),
    Target("files_requests", "files into a store: requests / least possible", "<=", 1.1, LEAST),
    Target("verify_snapshot", "verify: messages a second / snapshot's", ">=", 1.0, RATE),
    Target("diff_live_snapshot", "diff against live: messages a second / snapshot's", ">=", 1.0, RATE),
    Target("diff_hashing", "diff of two snapshots, 1 % differ: time / loading and hashing", "<=", 4.0, RATE),
    Target("diff_assistants", "diff of 10,000 assistants: CPU seconds a side", "<=", 2.0, RATE, quick=False),
    Target("archive_size", "archive / (JSON received + files once)", "<=", 0.6, SIZE),
    Target("memory_growth", "snapshot: peak of ten times as many / peak", "<=", 1.15, FLAT),
    Target("snapshot_peak", "snapshot: peak memory, MB", "<=", 150, FLAT),
    Target("apply_peak", "apply: peak memory, MB", "<=", 150, FLAT),
    Target("verify_peak", "verify: peak memory, MB", "<=", 150, FLAT),
    Target("diff_peak", "diff against live: peak memory, MB", "<=", 150, FLAT),
    Target("check_peak", "check: peak memory, MB", "<=", 150, FLAT),
    Target(
        "file_peak", "one 512 MB file, snapshot, apply, verify: peak memory, MB", "<=", 150, FLAT, quick=False
    ),
    Target("help_start", "--help: time / python -c 'import click, sqlite3'", "<=", 3.0, START),
    Target("ls_start", "ls: time / python -c 'import click, sqlite3'", "<=", 3.0, START),
)

BY_KEY = {target.key: target for target in TARGETS}
