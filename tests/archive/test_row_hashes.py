"""One changed character in the journal, or in the record of a plan, is found before the row is used."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.check.integrity import check_archive
from migrate.archive.hashes import HASHED_COLUMNS, RowDamaged, row_hash
from migrate.archive.id_map import Side, id_map, message_id_pairs
from migrate.archive.journal import Journal
from migrate.archive.journal_check import check_journal
from migrate.archive.registered_plans import insert_registered_plan, is_plan_registered

OLD, NEW = Side("openai", "https://old.example.com"), Side("foundry", "https://new.example.com")
COUNT = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two applies: one with a thread of messages, one that failed and was repeated."""
    where = tmp_path / "estate.db"
    with Archive.open(where, write=True, create=True) as archive:
        with archive.transaction() as conn:
            insert_registered_plan(conn, "first", "2026-11-01T00:00:00+00:00")
            insert_registered_plan(conn, "second", "2026-11-02T00:00:00+00:00")
        journal = Journal(archive, "first", OLD, NEW)
        one, two = journal.record_intent(
            [("create", "assistant", "", "asst_1", "Aé"), ("create", "thread", "", "thread_1", "")]
        )
        journal.record_done(one, "agent-1", written="abc")
        journal.record_done(two, "conv_1")
        journal.record_created(
            (("create", "message", "thread_1", f"msg_{n}", ""), f"item_{n}", "conv_1", "")
            for n in range(COUNT)
        )
        journal.record_intent([("update", "assistant", "", "asst_1", "A")], before={"name": "B"})
        again = Journal(archive, "second", OLD, NEW)
        entries = again.record_intent(
            [("create", "file", "", "file-1", "a.txt"), ("delete", "file", "", "file-2", "")]
        )
        again.record_failed(entries, "refused")
        again.record_intent([("create", "file", "", "file-1", "a.txt")])
        again.record_created([(("create", "message", "thread_2", "msg_x", ""), "item_x", "conv_2", "")] * 2)
    return where


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, opened without the hashes of this program."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        yield conn


def damage(path: Path) -> list[str]:
    with Archive.open(path) as archive:
        return [
            f"{one.which}: {one.why}" for one in check_archive(archive.conn).damage if one.what == "journal"
        ]


def test_what_was_written_is_whole(path: Path) -> None:
    assert damage(path) == []
    with Archive.open(path) as archive:
        check_journal(archive.conn, "first", messages=True)
        lines = dict(archive.conn.execute("SELECT digest, lines FROM plans"))
        assert lines == {"first": 3 + COUNT, "second": 3}
        assert [old for old, _ in message_id_pairs(archive.conn, OLD, NEW, "thread_1")] == [
            f"msg_{n}" for n in range(COUNT)
        ]


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in HASHED_COLUMNS.items() for column in columns]
)
def test_one_changed_value_of_any_column_is_reported(
    path: Path, other: sqlite3.Connection, table: str, column: str
) -> None:
    other.execute("PRAGMA foreign_keys = OFF")
    rows = other.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
    for number, value in rows[:6]:
        changed = value + 1000 if isinstance(value, int) else f"{value or ''}x"
        other.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, number))
        assert damage(path), f"{table}.{column}: {value!r} became {changed!r}"
        where = number if column != "id" else changed
        other.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, where))
        assert not damage(path)


def swapped(conn: sqlite3.Connection) -> None:
    conn.execute("UPDATE journal SET id = 9999 WHERE id = 5")
    conn.execute("UPDATE journal SET id = 5 WHERE id = 6")
    conn.execute("UPDATE journal SET id = 6 WHERE id = 9999")


def copied(conn: sqlite3.Connection) -> None:
    names = ", ".join(
        name for name in (*HASHED_COLUMNS["journal"], "hash") if name not in ("id", "source_id")
    )
    conn.execute(
        f"INSERT INTO journal (source_id, {names}) SELECT 'msg_copy', {names} FROM journal WHERE id = 7"
    )


HARM: dict[str, Callable[[sqlite3.Connection], object]] = {
    "a line is gone": lambda c: c.execute("DELETE FROM journal WHERE id = 10"),
    "the last lines are gone": lambda c: c.execute("DELETE FROM journal WHERE id > 44"),
    "all lines are gone": lambda c: c.execute("DELETE FROM journal"),
    "a whole apply is gone": lambda c: c.executescript(
        "DELETE FROM journal WHERE plan_id = 2; DELETE FROM plans WHERE id = 2;"
    ),
    "an apply is gone and its lines are not": lambda c: c.execute("DELETE FROM plans WHERE id = 2"),
    "a registered plan is gone": lambda c: c.execute("DELETE FROM registered_plans WHERE digest = 'second'"),
    "the totals are gone": lambda c: c.execute("DELETE FROM totals"),
    "two lines changed places": swapped,
    "a line was copied": copied,
    "a hash is gone": lambda c: c.execute("UPDATE journal SET hash = NULL WHERE id = 3"),
    "a hash is of another row": lambda c: c.execute(
        "UPDATE journal SET hash = (SELECT hash FROM journal WHERE id = 4) WHERE id = 3"
    ),
    "a plan was registered by hand": lambda c: c.execute(
        "INSERT INTO registered_plans (digest, registered_at) VALUES ('forged', '2026-11-30')"
    ),
    "a number became a text": lambda c: c.execute("UPDATE plans SET digest = x'00' WHERE id = 1"),
    "nothing became an empty text": lambda c: c.execute("UPDATE journal SET error = '' WHERE id = 1"),
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
def test_rows_that_are_gone_copied_or_in_another_place_are_reported(
    path: Path, other: sqlite3.Connection, harm: Callable[[sqlite3.Connection], object]
) -> None:
    other.execute("PRAGMA foreign_keys = OFF")
    harm(other)
    assert damage(path)
    with Archive.open(path) as archive, pytest.raises(RowDamaged):
        check_journal(archive.conn, "first", messages=True)


@pytest.mark.parametrize("column", ["target_id", "state", "source_id", "error"])
def test_a_changed_message_is_noticed_when_its_thread_is_read(
    path: Path, other: sqlite3.Connection, column: str
) -> None:
    other.execute(f"UPDATE journal SET {column} = 'x' WHERE source_id = 'msg_3'")
    with Archive.open(path) as archive:
        list(id_map(archive.conn, OLD, NEW, messages=False))
        with pytest.raises(RowDamaged, match="journal"):
            list(message_id_pairs(archive.conn, OLD, NEW, "thread_1"))
        with pytest.raises(RowDamaged):
            list(id_map(archive.conn, OLD, NEW))


def test_of_messages_only_those_of_the_plan_in_hand_are_looked_at(
    path: Path, other: sqlite3.Connection
) -> None:
    other.execute("UPDATE journal SET target_id = 'x' WHERE source_id = 'msg_3'")
    with Archive.open(path) as archive:
        check_journal(archive.conn, "second")
        with pytest.raises(RowDamaged, match="msg_3"):
            check_journal(archive.conn, "first")


def test_a_registered_plan_that_was_changed_is_no_known_one(path: Path, other: sqlite3.Connection) -> None:
    other.execute("UPDATE registered_plans SET digest = 'forged' WHERE digest = 'second'")
    with Archive.open(path) as archive:
        assert is_plan_registered(archive.conn, "first")
        with pytest.raises(RowDamaged, match="registered_plans"):
            is_plan_registered(archive.conn, "forged")


def test_half_of_a_character_pair_has_a_hash() -> None:
    assert row_hash("journal", "\ud83d") != row_hash("journal", "\ud83e")


def test_the_hash_of_a_row_stays_what_it_is() -> None:
    """Existing archives must be readable by every later version."""
    assert row_hash("journal", 1, "é\n", None).hex() == "ace317fce63b1800658cc00e1ee593d5"
