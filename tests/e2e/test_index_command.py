"""The index as it is used: built by a snapshot, searched, kept true, removed; and every way it can fail."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.running import World


@pytest.fixture
def indexed(small: World) -> World:
    small("snapshot", "source", "-o", small.db, "--index").ok()
    return small


def ids(world: World, *arguments: str, code: int = 0) -> list[str]:
    return [hit["id"] for hit in world("search", world.db, "--query", *arguments).ok(code)["hits"]]


def test_a_snapshot_keeps_the_index_up(indexed: World) -> None:
    everything = ids(indexed, "kind:message", "--limit", "1000")
    assert sorted(everything) == sorted(
        row["id"] for row in indexed("ls", indexed.db, "--kind", "message").ok()
    )
    plain = indexed.plain("snapshot", "source", "-o", indexed.db)
    assert "the full-text index does not have this snapshot yet: index" in plain.err
    indexed("search", indexed.db, "--query", "kind:message").error(
        2, "snapshot 2 is not in the full-text index"
    )
    result = indexed("index", indexed.db).ok()
    assert (result["documents"], result["snapshots"]) == (0, [1, 2])
    assert ids(indexed, "kind:message", "--limit", "1000") == everything
    indexed.snapshot("--index")
    assert indexed("index", indexed.db).ok()["snapshots"] == [1, 2, 3]
    assert indexed("check", indexed.db).ok()["damage"] == []
    indexed("forget", indexed.db, "1", "2", "--yes").ok()
    assert ids(indexed, "kind:message", "--limit", "1000") == everything
    assert indexed("check", indexed.db).ok()["damage"] == []


def test_what_is_shown(indexed: World) -> None:
    document = indexed("search", indexed.db, "--query", "role:user", "--limit", "1").ok()
    (hit,) = document["hits"]
    word = hit["excerpt"][0]["text"].split()[0].strip(".,?!")
    assert (hit["kind"], hit["role"], document["is_bounded"]) == ("message", "user", False)
    said = indexed.plain("search", indexed.db, "--query", word, "--kind", "message", "--limit", "1")
    assert f"*{word}*" in said.out
    assert f"message {hit['number']}" not in said.err
    assert "1 of" in indexed.plain("search", indexed.db, "--query", "role:user", "--limit", "1").err
    first, second = indexed.plain("index", indexed.db).out.splitlines()
    assert first == "nothing to add"
    assert second.endswith(" of snapshot 1"), second


def test_nothing_found_is_one(indexed: World) -> None:
    assert indexed("search", indexed.db, "--query", "xyzzyx").ok(1) == {
        "count": 0,
        "is_bounded": False,
        "hits": [],
    }
    assert "nothing found" in indexed.plain("search", indexed.db, "--query", "xyzzyx").err
    assert "note: no message" in indexed.plain("search", indexed.db, "--query", "role:usr").err


def test_mistakes_are_reported(indexed: World) -> None:
    indexed("search", indexed.db, "text", "--query", "x").error(2, "cannot both be given")
    indexed("search", indexed.db, "--query", 'a "b').error(2, "character 3")
    indexed("search", indexed.db, "--query", "a", "--kind", "thing").error(2, "there is no kind 'thing'")
    indexed("search", indexed.db).error(2, "no text to look for")
    indexed("index", indexed.db, "--drop", "--rebuild").error(2, "cannot both be given")
    indexed("index", str(indexed.folder / "none.db")).error(2, "there is no archive")
    assert indexed("index", indexed.db, "--drop").ok() == {"removed": True}
    assert indexed("index", indexed.db, "--drop").ok() == {"removed": False}
    indexed("search", indexed.db, "--query", "x").error(2, "no full-text index", "index ARCHIVE")


def test_a_damaged_index_is_built_again(indexed: World) -> None:
    before = ids(indexed, "kind:message", "--limit", "1000")
    with closing(sqlite3.connect(indexed.db)) as conn:
        conn.execute("DROP TABLE text_segments")
    for command in (["ls"], ["index"], ["search", "--query", "x"]):
        indexed(command[0], indexed.db, *command[1:]).error(
            2, "is damaged", "text_segments", "index --rebuild"
        )
    assert indexed("index", indexed.db, "--rebuild").ok()["rebuilt"] == "--rebuild"
    assert ids(indexed, "kind:message", "--limit", "1000") == before


def test_an_sqlite_without_full_text_search_is_said_before_anything_is_read(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from migrate.archive.text_index import schema

    monkeypatch.setattr(schema, "FTS5_SQL", "SELECT 1 WHERE 0")
    world = launch()
    world("snapshot", "source", "-o", world.db, "--index").error(2, "built without FTS5")
    assert world("ls", world.db).error(2, "contains no snapshot")
    world.snapshot()
    world("index", world.db).error(2, "built without FTS5")
    assert world("search", world.db, "a").code == 0


def test_what_show_masks_is_found_nowhere(small: World) -> None:
    messages = [one for thread in small.source.estate.messages.values() for one in thread.values()]
    part = next(part for one in messages for part in one["content"] if part["type"] == "text")
    part["text"]["value"] = f"use sk-{'Ab1' * 12} to sign in"
    small("snapshot", "source", "-o", small.db, "--index").ok()
    (hit,) = small("search", small.db, "--query", '"to sign in"').ok()["hits"]
    assert "Ab1" not in "".join(piece["text"] for piece in hit["excerpt"])
    assert ids(small, "sk-" + "Ab1" * 12, code=1) == []
    assert b"ab1ab1" not in Path(small.db).read_bytes()


@pytest.mark.parametrize("filling", ["zeroblob(length(block))", "randomblob(length(block))"])
def test_words_that_cannot_be_read_are_damage_and_can_be_rebuilt(indexed: World, filling: str) -> None:
    before = ids(indexed, "role:user")
    with closing(sqlite3.connect(indexed.db)) as conn:
        conn.execute(f"UPDATE text_words_data SET block = {filling} WHERE id > 100")
        conn.commit()
    for command in (["search", indexed.db, "--query", "role:user"], ["forget", indexed.db, "1", "--yes"]):
        said = indexed(*command)
        assert "Traceback" not in said.err
        assert said.code in (0, 1) or said.error(2, "is damaged")
    indexed.snapshot()
    if indexed("snapshots", indexed.db).ok()[0]["id"] == 1:  # nothing was forgotten
        assert indexed("check", indexed.db).ok(1)["damage"][0]["what"] == "full-text index"
    assert indexed("ls", indexed.db).code == 0
    assert indexed("index", indexed.db, "--rebuild").ok()["rebuilt"] == "--rebuild"
    assert ids(indexed, "role:user") == before
    assert indexed("check", indexed.db).ok()["damage"] == []
