"""The declared targets: what is measured, which way it must lie from the bound, and where that is from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

RATE = "set for the project: storing, hashing and journalling may cost 30 % of the transport's rate"
PEERS = "one client, one request at a time, pages of 20 moved 340 messages a second where this was set"
LEAST = "the API's own limits: pages of 100, 20 items a call, 32 messages in a new thread, 500 files a batch"
FRESH = "each listing is looked at by itself: the newest page of messages and that of runs, for every thread"
FLAT = "set for the project: memory must not grow with the estate"
LINEAR = "set for the project: cost must grow only with the work"
SIZE = "set for the project: bodies packed, yet open to SQL"
START = "set for the project: a command must feel instant"


@dataclass(frozen=True)
class Target:
    """One row. `scene` is what measures it; `quick`: by `make bench-quick` too."""

    key: str
    scene: str
    words: str
    sign: Literal[">=", "<="]
    bound: float
    source: str
    quick: bool = True

    def met(self, value: float) -> bool:
        """Whether a measured value lies where it should."""
        return value >= self.bound if self.sign == ">=" else value <= self.bound


TARGETS = (
    Target("snapshot_floor", "reading", "snapshot: rate / floor's rate", ">=", 0.7, RATE),
    Target("tls_floor", "tls", "snapshot over TLS, 100 ms: rate / floor's rate", ">=", 0.7, RATE),
    Target("snapshot_peers", "reading", "snapshot: rate / peers' rate", ">=", 80, PEERS),
    Target("snapshot_requests", "reading", "snapshot: requests / least possible", "<=", 1.1, LEAST),
    Target("again_requests", "reading", "unchanged: requests beside the lists, a thread", "<=", 2.0, FRESH),
    Target("again_bytes", "reading", "unchanged: bytes added / archive", "<=", 0.01, SIZE),
    Target("assistants_floor", "writing", "apply to Assistants: rate / floor's rate", ">=", 0.7, RATE),
    Target(
        "assistants_requests", "writing", "apply to Assistants: requests / least possible", "<=", 1.1, LEAST
    ),
    Target("foundry_floor", "writing", "apply to Foundry: rate / floor's rate", ">=", 0.7, RATE),
    Target("foundry_requests", "writing", "apply to Foundry: requests / least possible", "<=", 1.1, LEAST),
    Target("files_requests", "storing", "files into a store: requests / least possible", "<=", 1.1, LEAST),
    Target(
        "verify_snapshot", "writing", "verify: messages a second / snapshot's", ">=", 1.0, RATE, quick=False
    ),
    Target(
        "diff_live_snapshot", "reading", "diff against live: messages a second / snapshot's", ">=", 1.0, RATE
    ),
    Target(
        "diff_hashing",
        "comparing",
        "diff of two snapshots, 1 % differ: time / loading and hashing",
        "<=",
        4.0,
        RATE,
    ),
    Target(
        "diff_assistants",
        "comparing",
        "diff of 10,000 assistants: CPU seconds a side",
        "<=",
        2.0,
        RATE,
        quick=False,
    ),
    Target("archive_size", "growing", "archive / (JSON received + files once)", "<=", 0.6, SIZE),
    Target(
        "snapshot_growth", "growing", "snapshot: peak of ten times as many messages / peak", "<=", 1.15, FLAT
    ),
    Target("apply_growth", "growing", "apply: the same", "<=", 1.15, FLAT, quick=False),
    Target("verify_growth", "growing", "verify: the same", "<=", 1.15, FLAT, quick=False),
    Target("diff_growth", "growing", "diff against live: the same", "<=", 1.15, FLAT, quick=False),
    Target("check_growth", "growing", "check: the same", "<=", 1.15, FLAT),
    Target(
        "pair_growth",
        "growing",
        "diff of two snapshots, as many differences: the same",
        "<=",
        1.15,
        FLAT,
        quick=False,
    ),
    Target(
        "snapshot_time",
        "growing",
        "snapshot: processor time of ten times as many messages / ten times the time",
        "<=",
        1.2,
        LINEAR,
        quick=False,
    ),
    Target("apply_time", "growing", "apply: the same", "<=", 1.2, LINEAR, quick=False),
    Target("verify_time", "growing", "verify: the same", "<=", 1.2, LINEAR, quick=False),
    Target("diff_time", "growing", "diff against live: the same", "<=", 1.2, LINEAR, quick=False),
    Target("check_time", "growing", "check: the same", "<=", 1.2, LINEAR, quick=False),
    Target(
        "pair_time",
        "growing",
        "diff of two snapshots, as many differences: the same",
        "<=",
        1.2,
        LINEAR,
        quick=False,
    ),
    Target("snapshot_peak", "growing", "snapshot: peak memory, MB", "<=", 150, FLAT),
    Target("apply_peak", "writing", "apply: peak memory, MB", "<=", 150, FLAT),
    Target("verify_peak", "writing", "verify: peak memory, MB", "<=", 150, FLAT),
    Target("diff_peak", "reading", "diff against live: peak memory, MB", "<=", 150, FLAT),
    Target("pair_peak", "comparing", "diff of two snapshots: peak memory, MB", "<=", 150, FLAT),
    Target("check_peak", "growing", "check: peak memory, MB", "<=", 150, FLAT),
    Target(
        "file_peak", "large", "one 512 MB file, every command: peak memory, MB", "<=", 150, FLAT, quick=False
    ),
    Target("help_start", "starting", "--help: time / python -c 'import click, sqlite3'", "<=", 3.0, START),
    Target("ls_start", "starting", "ls: time / python -c 'import click, sqlite3'", "<=", 3.0, START),
)


def expected(scenes: Collection[str], full: bool) -> list[Target]:
    """The rows that a run of these scenes must fill."""
    return [target for target in TARGETS if target.scene in scenes and (target.quick or full)]


BY_KEY = {target.key: target for target in TARGETS}
