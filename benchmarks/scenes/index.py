"""Build the full-text index of an archive, and search it for a common and for a rare word."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import program, run
from benchmarks.results import MB, Results, on_disk
from benchmarks.searched_archive import RARE_WORD
from benchmarks.sizes import Size

# The name of the archive, which other scenes use too.
SEARCHED_ARCHIVE = "searched.db"


def measure(size: Size, results: Results, folder: Path) -> None:
    """The rate is that of the whole command, with the start of the interpreter."""
    archive = folder / SEARCHED_ARCHIVE
    text_bytes = make_searched(size, archive)
    before = on_disk(archive)
    scan = program("search", str(archive), RARE_WORD, "--limit", "1000000")
    index = program("index", str(archive))
    added = on_disk(archive) - before
    literal = program("search", str(archive), RARE_WORD, "--limit", "1000000")
    pages = run("-m", "benchmarks.searched_archive", "time", str(archive))
    messages = size.indexed_threads * size.messages
    results.put("index_rate", messages / index.seconds)
    results.put("index_size", added / text_bytes)
    results.put("index_peak", index.peak / MB)
    results.put("search_common", pages.json["common"])
    results.put("search_rare", pages.json["rare"])
    results.cost(f"index of {messages:,} messages", index, disk=on_disk(archive))
    results.cost(f"searches in {messages:,} messages", pages)
    results.cost(f"a rare text in {messages:,} messages, by looking at all", scan)
    results.cost("the same, by the index", literal)
    results.facts["index"] = {"text_bytes": text_bytes, "index_bytes": added, **pages.json}


def make_searched(size: Size, archive: Path) -> int:
    """Write the archive, without an index. Returns the bytes of its texts."""
    shape = (str(size.indexed_threads), str(size.messages))
    made = run("-m", "benchmarks.searched_archive", "make", str(archive), *shape)
    text_bytes: int = made.json["text_bytes"]
    return text_bytes
