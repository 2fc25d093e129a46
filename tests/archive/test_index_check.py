"""`check` sees an index that was tampered with, also one that was wrong from the beginning."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.check.integrity import check_archive
from migrate.archive.text_index import check
from migrate.archive.text_index.digest import unseal_index
from migrate.model.sample import Sample
from migrate.stages.index.run import build_index
from tests.archive.filling import write
from tests.stages.searching import estate, message


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("s") / "estate.db"
    threads = {
        f"thread_{t}": [
            message(f"msg_{t}_{n}", f"word{t} number{n} Größe 東京", at=9 * t + n) for n in range(20)
        ]
        for t in range(5)
    }
    with Archive.open(path, write=True, create=True) as archive:
        listings = estate(threads, assistant=[{"id": "asst_1", "name": "Desk"}], file=[{"id": "file-a"}])
        listings[2][2][0]["metadata"] = {"customer": "17"}
        listings.append(("run", "thread_1", [{"id": "run_1", "status": "failed", "assistant_id": "asst_1"}]))
        endpoint = write(archive, listings).endpoint
        link_file_to_blob(archive, endpoint, "file-a", store_blob(archive, [b"text of a file"]), "download")
        build_index(archive)
        assert check_archive(archive.conn).damage == ()
        assert check_archive(archive.conn).documents > 100
    return path


def sql(*statements: str) -> Callable[[sqlite3.Connection], None]:
    def change(conn: sqlite3.Connection) -> None:
        for statement in statements:
            assert conn.execute(statement).rowcount != 0, statement

    return change


def other_words(conn: sqlite3.Connection) -> None:
    """One byte of a word in the index is another one."""
    rows = conn.execute("SELECT id, block FROM text_words_data").fetchall()
    id_, block = next((id_, block) for id_, block in rows if b"umber0" in block)
    conn.execute(
        "UPDATE text_words_data SET block = ? WHERE id = ?", (block.replace(b"umber0", b"umbfr0", 1), id_)
    )


LAST_SQL = "SELECT max(first) FROM text_segments WHERE count = 20"
DELETE = "INSERT INTO text_words (text_words, rowid, text, name)"
# What was changed, and what is said about it where the hash of the index was changed as well.
TAMPERED: dict[str, tuple[Callable[[sqlite3.Connection], None], str]] = {
    "a word": (other_words, "does not have the words"),
    "a document is gone": (sql("DELETE FROM text_words_docsize WHERE id = 7"), "its documents have"),
    "a word is gone": (sql(f"{DELETE} VALUES ('delete', 7, 'word0', NULL)"), "words, and its documents have"),
    "a document more": (
        sql("INSERT INTO text_words (rowid, text) VALUES (9999, 'word')"),
        "belong to no object",
    ),
    "another place": (
        sql("UPDATE text_segments SET place = place + 1 WHERE count = 20"),
        "objects are missing",
    ),
    "a range is gone": (sql(f"DELETE FROM text_segments WHERE first = ({LAST_SQL})"), "objects are missing"),
    "a thread is gone": (sql("DELETE FROM thread_summaries WHERE id = 2"), "it has 4 of 5 threads"),
    "other first words": (
        sql("UPDATE thread_summaries SET first_words = 'x' WHERE id = 3"),
        "not that of its messages",
    ),
    "no error": (sql("UPDATE thread_summaries SET has_errors = 0"), "not that of its messages"),
    "a file is gone": (sql("DELETE FROM text_files"), "1 are missing"),
    "no such snapshot": (
        sql("INSERT INTO indexed_snapshots VALUES (9, 'x', 1)"),
        "there is no such snapshot",
    ),
}
# Found by the hash alone: no other row depends on it.
ONLY_BY_HASH = {
    "metadata": sql("UPDATE metadata_pairs SET value = '18'"),
    "an assistant": sql("DELETE FROM thread_assistants"),
    "times": sql("UPDATE text_segments SET times = NULL"),
}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(("change", "words"), TAMPERED.values(), ids=TAMPERED.keys())
def test_what_was_changed_is_seen(
    indexed: Path, tmp_path: Path, change: Callable[[sqlite3.Connection], None], words: str, sealed: bool
) -> None:
    path = tmp_path / "estate.db"
    shutil.copy(indexed, path)
    with Archive.open(path, write=True) as archive:
        change(archive.conn)
        if not sealed:
            unseal_index(archive.conn)
    with Archive.open(path) as archive:
        damage = check_archive(archive.conn).damage
    assert damage
    assert {item.what for item in damage} == {"full-text index"}
    said = " ".join(f"{item.which}: {item.why}" for item in damage)
    expected = words if not sealed or "snapshot" in words else "not the ones that were stored"
    assert expected in said
    assert "index --rebuild" in said


@pytest.mark.parametrize("change", ONLY_BY_HASH.values(), ids=ONLY_BY_HASH.keys())
def test_what_only_the_hash_covers_is_seen(
    indexed: Path, tmp_path: Path, change: Callable[[sqlite3.Connection], None]
) -> None:
    path = tmp_path / "estate.db"
    shutil.copy(indexed, path)
    with Archive.open(path, write=True) as archive:
        change(archive.conn)
        assert check_archive(archive.conn).damage


def test_an_index_that_is_being_built_is_no_damage(indexed: Path, tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    shutil.copy(indexed, path)
    with Archive.open(path, write=True) as archive:
        write(archive, estate({"thread_9": [message("msg_9", "nine")]}))
        assert check_archive(archive.conn).damage == ()
        archive.conn.execute("DELETE FROM indexed_snapshots")
        unseal_index(archive.conn)
        assert check_archive(archive.conn).damage == ()


def test_a_sample_is_the_same_for_the_same_seed(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "SAMPLED_DOCUMENTS", 10)
    seen: list[int] = []
    fault = check._document_fault
    monkeypatch.setattr(
        check, "_document_fault", lambda conn, n, columns: seen.append(n) or fault(conn, n, columns)
    )
    with Archive.open(indexed) as archive:
        for seed in (3, 3, 4):
            result = check_archive(archive.conn, Sample(5, seed))
            assert (result.damage, result.documents) == ((), 10)
    assert seen[:10] == seen[10:20] != seen[20:]


@pytest.mark.parametrize("name", ["fts5", "format"])
def test_what_cannot_be_checked_is_said(indexed: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from migrate.archive.text_index import schema

    if name == "fts5":
        monkeypatch.setattr(check, "FTS5_SQL", "SELECT 1 WHERE 0")
    else:
        monkeypatch.setattr(schema, "INDEX_FORMAT", "another")
    with Archive.open(indexed) as archive:
        result = check_archive(archive.conn)
    assert (result.damage, result.documents) == ((), 0)
    assert "full-text index was not checked" in result.index_note
