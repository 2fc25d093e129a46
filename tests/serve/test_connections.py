"""Connections of the server: they cannot write, read one state per request, and follow a replaced file."""

from __future__ import annotations

import re
import sqlite3
import threading
from pathlib import Path

import pytest

from migrate.archive import read_connections
from migrate.archive.database import Archive
from migrate.archive.snapshots.reader import NoSuchSnapshot
from migrate.errors import ArchiveBusy, ArchiveDamaged
from migrate.serve.connections import ArchiveAccess
from migrate.stages.index.run import build_index
from tests.archive.filling import filled, write
from tests.serve.client import Client, served
from tests.unprivileged import enforce_file_modes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    filled(tmp_path / "estate.db")
    return tmp_path / "estate.db"


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM snapshots",
        "CREATE TABLE mine (x)",
        "DROP VIEW messages",
        "UPDATE packs SET data = x''",
        "VACUUM",
        "PRAGMA user_version = 7",
    ],
)
def test_no_connection_can_write(path: Path, sql: str) -> None:
    before = path.read_bytes()
    with ArchiveAccess(path, connections=1) as access:
        for lend in (access.connection, access.separate_connection):
            with lend() as conn, pytest.raises((sqlite3.OperationalError, ArchiveDamaged)):
                conn.execute(sql).fetchall()
    assert path.read_bytes() == before


def test_a_request_reads_one_state_of_the_archive(path: Path) -> None:
    with ArchiveAccess(path, connections=2) as access, Archive.open(path, write=True) as archive:
        with access.connection() as conn:
            count = "SELECT count(*) FROM snapshots"
            assert conn.execute(count).fetchone() == (1,)
            write(archive)
            assert conn.execute(count).fetchone() == (1,)
        with access.connection() as conn:
            assert conn.execute(count).fetchone() == (2,)


def test_closing_waits_for_a_thread_that_reads_so_that_no_file_is_left_beside_the_archive(path: Path) -> None:
    access, is_reading, goes_on = ArchiveAccess(path, connections=2), threading.Event(), threading.Event()

    def read() -> None:
        with access.connection():
            is_reading.set()
            goes_on.wait(10)

    reader = threading.Thread(target=read)
    reader.start()
    is_reading.wait(10)
    closer = threading.Thread(target=access.close)
    closer.start()
    closer.join(0.05)
    assert closer.is_alive()
    goes_on.set()
    closer.join(10)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    reader.join(10)


def test_closing_does_not_wait_for_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_connections, "RETURN_S", 0.01)
    access = ArchiveAccess(path, connections=1)
    with access.connection() as conn:
        access.close()
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_what_is_remembered_is_dropped_when_the_archive_changes(path: Path) -> None:
    with ArchiveAccess(path, connections=1) as access:
        asked: list[int] = []

        def ask() -> int:
            asked.append(1)
            return len(asked)

        assert [access.remember("key", ask), access.remember("key", ask)] == [1, 1]
        with Archive.open(path, write=True) as archive:
            write(archive)
        assert access.remember("key", ask) == 2
        assert len(access.estates()[0].snapshots) == 2


def test_the_estate_shown_is_the_newest_whole_one_or_the_one_that_was_named(path: Path) -> None:
    with Archive.open(path, write=True) as archive:
        write(archive, url="https://west.example.com")
        write(archive, options={"include": [["assistant", "x"]]})
    with ArchiveAccess(path, connections=1) as access:
        east, west = access.estates()
        assert (east.shown.id, west.shown.id) == (1, 2)
        with access.reader() as snapshot:
            assert snapshot.info.id == 1
        with access.reader(3) as snapshot:
            assert snapshot.info.id == 3
        with pytest.raises(NoSuchSnapshot), access.reader(4):
            pass
    with ArchiveAccess(path, 3, connections=1) as access:
        assert access.estates()[0].shown.id == 3


def test_a_replaced_archive_is_opened_again(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with Archive.open(other, write=True, create=True) as archive:
        write(archive, url="https://other.example.com")
    with ArchiveAccess(path, connections=2) as access:
        assert access.estates()[0].url == "https://east.example.com"
        with access.connection() as conn:
            other.replace(path)
            assert access.estates()[0].url == "https://other.example.com"
            assert "east" in str(conn.execute("SELECT url FROM endpoints").fetchone())
        path.write_bytes(b"not an archive")
        path.unlink()
        path.write_bytes(b"not an archive")
        with pytest.raises(ArchiveDamaged):
            access.estates()
        path.unlink()
        with pytest.raises(ArchiveBusy, match="there is no archive"):
            access.estates()


def test_a_removed_archive_is_reported_by_a_page(path: Path) -> None:
    with served(path) as client:
        path.rename(path.with_name("elsewhere.db"))
        text = client.page("/snapshots/1/", 503)
        assert "there is no archive" in text.lower()
        path.with_name("elsewhere.db").rename(path)
        assert "Snapshot 1" in client.page("/snapshots/1/")


def test_what_was_read_wrongly_once_is_read_again(path: Path) -> None:
    """A disk or a network that failed for a moment. SQLite would go on with the pages that it read then."""
    right = path.read_bytes()
    wrong = right[: len(right) // 4] + b"\xff" * (len(right) // 2) + right[len(right) * 3 // 4 :]
    addresses = [f"/snapshots/1/{name}" for name in ("threads", "assistants", "files", "threads/thread_1")]

    def statuses(client: Client) -> set[int]:
        return {client.send(address).status for address in addresses for _ in range(2)}

    with served(path) as client:
        with path.open("r+b") as file:
            file.write(wrong)
        assert 500 in statuses(client)
        with path.open("r+b") as file:
            file.write(right)
        statuses(client)
        assert statuses(client) == {200}


def test_an_archive_in_a_folder_without_write_permission_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    filled(folder / "estate.db")
    (folder / "estate.db").chmod(0o400)
    folder.chmod(0o500)
    try:
        with enforce_file_modes(), served(folder / "estate.db") as client:
            for address in ("/snapshots/1/", "/snapshots/1/threads", "/snapshots/1/files/file-a/content"):
                assert client.send(address).status == 200
            assert [file.name for file in folder.iterdir()] == ["estate.db"]
    finally:
        folder.chmod(0o700)


def test_without_an_index_the_pages_say_how_to_make_one(path: Path) -> None:
    command = "assistants-migrate index estate.db"
    with served(path) as client:
        for page in ("threads", "search", "assistants/asst_1"):
            assert command in client.page(f"/snapshots/1/{page}"), page
        assert "Hello" in client.page("/snapshots/1/threads")
        assert "not understood" in client.page("/snapshots/1/threads?after=2026-01-01")
        with Archive.open(path, write=True) as archive:
            build_index(archive)
        for page in ("threads", "search?q=hello", "assistants/asst_1"):
            assert command not in client.page(f"/snapshots/1/{page}"), page
        found = client.page("/snapshots/1/search?q=hello")
        assert "<mark>Hello</mark>" in found
        assert "in: <bdi>Hello" in found
        assert "autor: is no filter" in client.page("/snapshots/1/search?q=autor:me")


@pytest.mark.parametrize("column", ["data = x'00'", "data = zeroblob(20)", "kind = x'07'", "size = 1"])
def test_damage_is_a_page_with_advice(path: Path, column: str) -> None:
    conn = sqlite3.connect(path)
    conn.execute(f"UPDATE packs SET {column}")
    conn.commit()
    conn.close()
    with served(path) as client:
        text = client.page("/snapshots/1/", 500)
        assert "is damaged" in text
        assert re.search(r"find what is damaged: check .*estate\.db", text)


def test_random_bytes_in_the_file_are_reported_by_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 8192)
    with ArchiveAccess(path, connections=1) as access:
        try:
            access.estates()
        except ArchiveDamaged:
            return
    with served(path) as client:
        for page in ("/snapshots/", "/snapshots/1/"):
            answer = client.send(page)
            assert answer.status in (200, 500)
            assert answer.is_page


@pytest.mark.parametrize(
    "number", ["0", "2", "-1", "1x", "%31%20", "9" * 18, "9" * 6_000, "..", "%2e", "%D9%A1", "1%2F", "~1"]
)
def test_a_number_of_nothing_is_not_found(client: Client, number: str) -> None:
    answer = client.send(f"/snapshots/{number}/")
    assert answer.status == 404
    assert answer.is_page


def test_a_mistake_of_the_program_shows_no_traceback(
    client: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr("migrate.serve.connections.ArchiveAccess.estates", lambda _: broken())
    text = client.page("/snapshots/", 500)
    assert "a mistake in this program" in text.lower()
    assert "secret detail" not in text
    assert capfd.readouterr() == ("", "")
