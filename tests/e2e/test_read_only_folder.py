"""An archive in a folder without write permission: commands that read work, others end with exit code 2."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.running import World
from tests.unprivileged import enforce_file_modes

READING = {
    "ls": ["ls", "{db}"],
    "snapshots": ["snapshots", "{db}"],
    "check": ["check", "{db}"],
    "ids": ["ids", "{db}"],
    "show": ["show", "{db}", "{thread}"],
    "history": ["history", "{db}", "{thread}"],
    "search": ["search", "{db}", "e"],
    "transcript": ["transcript", "{db}", "{thread}"],
    "transcripts": ["transcript", "{db}", "--all", "--dir", "{out}/site"],
    "extract": ["extract", "{db}", "--dir", "{out}/files"],
    "diff": ["diff", "{db}", "{db}"],
    "diff with a live estate": ["diff", "{db}", "source"],
    "diff by the journal": ["diff", "source", "target", "--journal", "{db}"],
    "export": ["export", "{db}", "{out}/agents"],
    "assess": ["assess", "{db}", "--to", "foundry"],
    "verify": ["verify", "{plan}"],
    "forget, only told": ["forget", "{db}", "--keep-last", "1", "--dry-run"],
    "merge into another": ["merge", "{db}", "-o", "{out}/all.db"],
}
WRITING = {
    "snapshot": ["snapshot", "source", "-o", "{db}"],
    "plan": ["plan", "{db}", "target", "-o", "{out}/plan.json"],
    "apply": ["apply", "{plan}", "--yes"],
    "rollback": ["rollback", "{plan}", "--yes"],
    "sync": ["sync", "source", "target", "-o", "{db}"],
    "forget": ["forget", "{db}", "1", "--yes"],
    "merge into it": ["merge", "{out}/other.db", "-o", "{db}"],
    "check --upgrade": ["check", "{db}", "--upgrade"],
}


@pytest.fixture(params=["", "link"])
def kept(small: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """An archive after an apply, in its own folder, which is read-only now; also through a link."""
    folder, out = small.folder / "kept", small.folder / "out"
    folder.mkdir()
    out.mkdir()
    db = folder / "estate.db"
    small("snapshot", "source", "-o", str(db)).ok()
    small("snapshot", "source", "-o", str(out / "other.db")).ok()
    small("plan", str(db), "target", "-o", small.plan, "--accept-loss", "all").ok()
    assert small.apply().code == 0
    db.chmod(0o400)
    folder.chmod(0o500)
    if request.param:
        (out / "link.db").symlink_to(db)
    yield small
    folder.chmod(0o700)


def given(world: World, words: list[str]) -> list[str]:
    link = world.folder / "out" / "link.db"
    places = {
        "db": link if link.is_symlink() else world.folder / "kept" / "estate.db",
        "plan": world.plan,
        "out": world.folder / "out",
        "thread": next(iter(world.here.threads)),
    }
    return [word.format(**places) for word in words]


def test_what_reads_works_as_ever(kept: World) -> None:
    with enforce_file_modes():
        for name, words in READING.items():
            said = kept(*given(kept, words))
            assert said.code in (0, 1), f"{name}: {said.code}\n{said.err}"
            assert "Traceback" not in said.err
            if name != "assess" and "diff" not in name:
                assert said.code == 0, f"{name}: {said.out[:1000]}{said.err}"
    assert [file.name for file in (kept.folder / "kept").iterdir()] == ["estate.db"]


def test_what_writes_ends_with_a_sentence_and_changes_nothing(kept: World) -> None:
    db = kept.folder / "kept" / "estate.db"
    before, there = db.read_bytes(), kept.target.estate.counts()
    for words in WRITING.values():
        with enforce_file_modes():
            said = kept(*given(kept, words))
        said.error(2, "estate.db")
    assert db.read_bytes() == before
    assert kept.target.estate.counts() == there
    assert [file.name for file in (kept.folder / "kept").iterdir()] == ["estate.db"]


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize(
    "words",
    [["ls", "{db}"], ["check", "{db}"], ["ids", "{db}"], ["diff", "{db}", "target"],
     ["apply", "{plan}", "--yes"],
     ["verify", "{plan}"], ["rollback", "{plan}", "--yes"], ["merge", "{db}", "-o", "{out}"],
     ["forget", "{db}", "1", "--yes"], ["snapshot", "source", "-o", "{db}"],
     ["check", "{db}", "--upgrade"],
     ["plan", "{db}", "target", "-o", "{out}"]],
    ids=lambda words: " ".join(words[:1] + words[2:]),
)  # fmt: skip
def test_an_archive_with_a_foreign_trigger_is_refused_by_every_command(
    small: World, words: list[str]
) -> None:
    small.snapshot()
    small.planned()
    with closing(sqlite3.connect(small.db)) as conn:
        conn.execute("CREATE TRIGGER spoil AFTER INSERT ON registered_plans BEGIN DELETE FROM journal; END")
    places = {"db": small.db, "plan": small.plan, "out": small.folder / "out"}
    said = small(*(word.format(**places) for word in words))
    said.error(2, "has a trigger that was not created by this program: spoil", "DROP TRIGGER")
    assert not Path(small.folder / "out").exists()


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("command", ["apply", "verify", "rollback", "ids", "plan", "sync", "check"])
def test_one_changed_sign_in_the_journal_ends_what_would_use_it(small: World, command: str) -> None:
    small.snapshot()
    small.planned()
    assert small.apply().code == 0
    there = small.target.estate.counts()
    with closing(sqlite3.connect(small.db)) as conn, conn:
        conn.execute(
            "UPDATE journal SET target_id = replace(target_id, 'a', 'b') WHERE kind = 'assistant' "
            "AND target_id LIKE '%a%' AND id = (SELECT min(id) FROM journal WHERE kind = 'assistant')"
        )
    words = {
        "apply": ["apply", small.plan, "--yes"],
        "verify": ["verify", small.plan],
        "rollback": ["rollback", small.plan, "--yes"],
        "ids": ["ids", small.db],
        "plan": ["plan", small.db, "target", "-o", str(small.folder / "next.json")],
        "sync": ["sync", "source", "target", "-o", small.db],
        "check": ["check", small.db],
    }[command]
    said = small(*words)
    if command == "check":
        assert [row["which"] for row in said.ok(1)["damage"] if "of the journal" in row["which"]]
    else:
        said.error(2, "is damaged", "of the journal")
    assert small.target.estate.counts() == there
