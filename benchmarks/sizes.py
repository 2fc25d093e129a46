"""The sizes of a run: full, quick (a minute), and tiny (for the tests of the benchmarks)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """`threads` of an estate, `messages` in each thread, and `rounds`: how often each ratio is measured."""

    name: str
    threads: int
    messages: int = 100
    rounds: int = 1
    # Threads that the typed client reads; its rate is constant, so a few are enough.
    peers: int = 4
    # Threads written to an Assistants resource. Each message needs a request there.
    assistants_threads: int = 40
    foundry_threads: int = 100
    files: int = 30
    # Objects in each of two snapshots that are compared.
    compared: int = 10_000
    many_assistants: int = 0
    # Thousands of messages in the estates of the scene `growth`.
    growth: tuple[int, ...] = (1,)
    # The ones of `growth` that are also applied, verified and compared.
    moved: tuple[int, ...] = ()
    file_megabytes: int = 0
    # Threads of the archive from which one assistant is restored, each with 100 messages.
    restored_threads: int = 300
    # Messages of the thread that is listed from an archive.
    listed_messages: int = 3_000
    # Messages of the one long thread that is shown as a page.
    long_thread: int = 20_000
    # Threads of the archive that is indexed and searched, each with `messages`.
    indexed_threads: int = 600
    # Threads that are written as transcripts.
    transcripts: int = 2_000
    starts: int = 5
    workers: int = 32
    latency: float = 0.05
    # Whether every target is measured, and not only the quick ones.
    full: bool = False


SIZES = {
    size.name: size
    for size in (
        Size("full", 2_000, rounds=3, peers=15, assistants_threads=100, foundry_threads=2_000, files=1_200,
             compared=100_000, many_assistants=10_000, growth=(10, 100, 300, 1_000), moved=(100, 1_000),
             file_megabytes=512, restored_threads=10_000, listed_messages=20_000, long_thread=100_000,
             indexed_threads=10_000, transcripts=10_000, starts=11, full=True),
        Size("quick", 600, growth=(4, 40), peers=2, assistants_threads=16, foundry_threads=64, starts=3),
        Size("tiny", 3, 12, peers=1, assistants_threads=2, foundry_threads=2, files=3, compared=200,
             growth=(1, 2), restored_threads=3, listed_messages=12, long_thread=200, indexed_threads=3,
             transcripts=10, starts=1, workers=4, latency=0.0),
    )
}  # fmt: skip
