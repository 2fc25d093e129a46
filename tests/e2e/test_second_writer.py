"""While one program writes to an archive, a second one is refused, whatever path it was given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from migrate.archive import Archive
from tests.e2e.running import World

WRITING = {
    "snapshot": ["snapshot", "source", "-o", "{db}"],
    "forget": ["forget", "{db}", "1", "--yes"],
    "merge": ["merge", "{other}", "-o", "{db}"],
    "sync": ["sync", "source", "target", "-o", "{db}"],
    "check --upgrade": ["check", "{db}", "--upgrade"],
    "apply": ["apply", "{plan}", "--yes"],
    "rollback": ["rollback", "{plan}", "--yes"],
}


@pytest.mark.parametrize("name", ["the same", "a link", "a hard link"])
def test_the_second_writer_ends_with_four_and_a_sentence(small: World, name: str) -> None:
    if name == "a hard link" and sys.platform != "linux":
        pytest.skip("the file itself is locked on Linux only")
    db, link, other = Path(small.db), small.folder / "link.db", small.folder / "other.db"
    small.snapshot()
    small("snapshot", "source", "-o", str(other)).ok()
    small.planned()
    if name == "a link":
        link.symlink_to(db)
    elif name == "a hard link":
        link.hardlink_to(db)
    given = str(db if name == "the same" else link)
    asked = len(small.target.requests)
    with Archive.open(db, write=True):
        for words in WRITING.values():
            filled = (word.format(db=given, other=other, plan=small.plan) for word in words)
            small(*filled).error(4, "is being written by another program", "wait until it ends")
        small("ls", given).ok()
    assert not [r for r in small.target.requests[asked:] if r.method != "GET"]
    small("check", given).ok()
