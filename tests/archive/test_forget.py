"""`forget` removes what only the forgotten snapshots had. All else stays, complete."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive, forget
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.check.integrity import check_archive
from migrate.archive.forget import forget_snapshots, vacuum_archive
from migrate.archive.id_map import Side, id_map
from migrate.archive.journal import Journal
from migrate.archive.packs import decompress
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots, scan_for_text
from migrate.archive.snapshots.writer import SnapshotWriter
from tests.archive.filling import ESTATE, TYPE, URL, Listing, reader, rows, write

OTHER = "https://west.example.com"


def changed(model: str, *files: str) -> list[Listing]:
    """The estate with another model, and with these files instead."""
    bodies: dict[str, list[dict[str, Any]]] = {
        "assistant": [{"id": "asst_1", "model": model, "instructions": f"only in {model}"}],
        "file": [{"id": id_, "filename": f"{id_}.txt"} for id_ in files],
    }
    return [(kind, parent, bodies.get(kind, held)) for kind, parent, held in ESTATE]


def fill(archive: Archive) -> None:
    """Four snapshots of two estates; file-b is only in the second one."""
    first = write(archive, changed("one", "file-a"))
    write(archive, changed("two", "file-a", "file-b"))
    write(archive, changed("one", "file-a"))
    other = write(archive, changed("far", "file-a"), url=OTHER)
    for endpoint, id_, content in (
        (first.endpoint, "file-a", b"shared"),
        (first.endpoint, "file-b", b"secret of two"),
        (other.endpoint, "file-a", b"shared"),
    ):
        link_file_to_blob(archive, endpoint, id_, store_blob(archive, [content]), "download")


def everything(archive: Archive, number: int) -> list[Any]:
    """The whole content of a snapshot."""
    info = next(info for info in list_snapshots(archive.conn) if info.id == number)
    reader = SnapshotReader(archive.conn, info)
    kinds = {kind for kind, _, _ in ESTATE}
    bodies = [list(reader.bodies(kind, None)) for kind in sorted(kinds)]
    blobs = [(id_, blob.sha256 if (blob := reader.blob(id_)) else "") for id_ in ("file-a", "file-b")]
    held = {body["id"] for _, body in reader.bodies("file")}
    return [info, bodies, [one for one in blobs if one[0] in held], reader.missing()]


@pytest.mark.parametrize("going", [c for n in range(1, 5) for c in combinations(range(1, 5), n)], ids=str)
def test_what_stays_is_whole_and_the_same(archive: Archive, going: tuple[int, ...]) -> None:
    fill(archive)
    staying = [number for number in range(1, 5) if number not in going]
    before = {number: everything(archive, number) for number in staying}
    done = forget_snapshots(archive, going)
    assert done.snapshots == len(going)
    assert [info.id for info in list_snapshots(archive.conn)] == staying
    assert {number: everything(archive, number) for number in staying} == before
    assert check_archive(archive.conn).damage == ()
    assert archive.conn.execute("PRAGMA foreign_key_check").fetchall() == []
    assert archive.conn.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_nothing_is_left_of_what_only_they_contained(archive: Archive) -> None:
    fill(archive)
    before = {data for (data,) in archive.conn.execute("SELECT data FROM packs")}
    done = forget_snapshots(archive, [2])
    assert (done.bodies, done.files, done.file_bytes) == (2, 1, len(b"secret of two"))
    texts = [text for (text,) in archive.conn.execute("SELECT body FROM bodies")]
    assert not [text for text in texts if "two" in text or "file-b" in text]
    scanned = list(scan_for_text(reader(archive), "assistant", "only in two"))
    assert [one.body for one in scanned] == [None]
    vacuum_archive(archive)
    raw = archive.path.read_bytes()
    assert b"secret of two" not in raw
    packs = archive.conn.execute("SELECT data, size FROM packs").fetchall()
    plain = b"".join(decompress(data, size) for data, size in packs)
    assert b"only in two" not in plain
    assert b"only in one" in plain
    stored = {data for data, _ in packs}
    assert not [one for one in before - stored if one in raw], "nothing of what was written again"


@pytest.mark.parametrize("going", [[1, 3, 4], [2]], ids=str)
def test_of_a_pack_that_is_needed_in_part_the_rest_goes(archive: Archive, going: list[int]) -> None:
    """Assistants of three snapshots are in one pack: there was no commit between them."""
    with archive.single_transaction():
        fill(archive)
    assert rows(archive, "packs") == len({kind for kind, _, _ in ESTATE})
    known = rows(archive, "known")
    done = forget_snapshots(archive, going)
    assert check_archive(archive.conn).damage == ()
    assert rows(archive, "known") == known - done.bodies
    assert rows(archive, "bodies") == known - done.bodies
    texts = " ".join(text for (text,) in archive.conn.execute("SELECT body FROM bodies"))
    assert ("only in two" in texts) == (2 not in going)
    assert ("only in far" in texts) == (4 not in going)
    before = rows(archive, "bodies")
    write(archive, changed("two", "file-a", "file-b"))
    assert rows(archive, "bodies") == before + (2 if 2 in going else 0), "and can come again"
    assert check_archive(archive.conn).damage == ()


def test_bytes_go_with_the_last_file_of_their_estate(archive: Archive) -> None:
    fill(archive)
    assert forget_snapshots(archive, [4]).files == 0
    assert rows(archive, "contents") == 2
    assert forget_snapshots(archive, [1, 3]).files == 0
    assert rows(archive, "contents") == 2


def test_everything_can_go_and_no_row_is_left(archive: Archive) -> None:
    fill(archive)
    forget_snapshots(archive, [1, 2, 3, 4])
    tables = (
        "snapshots",
        *forget.SWEEP_STATEMENTS,
        "packs",
        "known",
        "contents",
        *forget.BLOB_SWEEP_STATEMENTS,
        "endpoints",
    )
    assert [table for table in tables if rows(archive, table)] == []


def test_a_number_is_not_given_again(archive: Archive) -> None:
    fill(archive)
    forget_snapshots(archive, [3, 4])
    vacuum_archive(archive)
    assert write(archive).id == 5
    forget_snapshots(archive, [5])
    forget_snapshots(archive, [2])
    assert write(archive).id == 6
    assert [info.id for info in list_snapshots(archive.conn)] == [1, 6]


def test_the_journal_and_the_id_map_stay(archive: Archive) -> None:
    fill(archive)
    journal = Journal(archive, "d", Side(TYPE, URL), Side(TYPE, OTHER))
    (entry,) = journal.record_intent([("create", "assistant", "", "asst_1", "A")])
    journal.record_done(entry, "asst_9")
    before = list(id_map(archive.conn)), list(journal.entries())
    forget_snapshots(archive, [1, 2, 3, 4])
    assert (list(id_map(archive.conn)), list(journal.entries())) == before
    assert check_archive(archive.conn).damage == ()


def test_an_interrupted_snapshot_is_continued_afterwards(archive: Archive) -> None:
    fill(archive)
    begun = SnapshotWriter.begin(archive, TYPE, URL, {}, None)
    begun.add_page("assistant", "", [BodyRow.from_json("assistant", {"id": "asst_1"})], "asst_1")
    forget_snapshots(archive, [1, 2, 3])
    again = SnapshotWriter.begin(archive, TYPE, URL, {}, None)
    assert (again.id, again.resumed, again.ids("assistant")) == (begun.id, True, ["asst_1"])
    again.end_listing("assistant")
    again.finish("complete", "")
    assert check_archive(archive.conn).damage == ()


def test_an_interrupted_snapshot_can_go(archive: Archive) -> None:
    SnapshotWriter.begin(archive, TYPE, URL, {}, None).add_page(
        "file", "", [BodyRow.from_json("file", {"id": "file-a"})], "file-a"
    )
    forget_snapshots(archive, [1])
    assert rows(archive, "manifests") == rows(archive, "bodies") == 0


@pytest.mark.parametrize("table", [*forget.SWEEP_STATEMENTS, *forget.BLOB_SWEEP_STATEMENTS])
def test_a_failure_at_any_step_leaves_all(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    fill(archive)
    before = [everything(archive, number) for number in range(1, 5)]
    steps = forget.SWEEP_STATEMENTS if table in forget.SWEEP_STATEMENTS else forget.BLOB_SWEEP_STATEMENTS
    monkeypatch.setitem(steps, table, "DELETE FROM nowhere")
    with pytest.raises(sqlite3.OperationalError):
        forget_snapshots(archive, [1, 2])
    assert [everything(archive, number) for number in range(1, 5)] == before
    assert archive.conn.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert write(archive).id == 5


KILLED = """
import os, signal, sys
from pathlib import Path
from migrate.archive import forget
from migrate.archive.database import Archive
from migrate.archive.forget import forget_snapshots
forget.BLOB_SWEEP_STATEMENTS["chunks"] = "SELECT die()"
archive = Archive.open(Path(sys.argv[1]), write=True)
archive.conn.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
archive.conn.execute("PRAGMA cache_size = 1")
forget_snapshots(archive, [1, 2])
"""


def test_a_killed_program_leaves_all(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        fill(archive)
        before = [everything(archive, number) for number in range(1, 5)]
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert killed.returncode == -signal.SIGKILL
    with Archive.open(path, write=True) as archive:
        assert [everything(archive, number) for number in range(1, 5)] == before
        assert check_archive(archive.conn).damage == ()
        forget_snapshots(archive, [1, 2])
        assert check_archive(archive.conn).damage == ()


def test_space_is_freed_or_the_reason_is_reported(archive: Archive) -> None:
    fill(archive)
    endpoint = archive.conn.execute("SELECT id FROM endpoints").fetchone()[0]
    link_file_to_blob(archive, endpoint, "file-b", store_blob(archive, [os.urandom(1 << 20)]), "download")
    forget_snapshots(archive, [2])
    shrunk = vacuum_archive(archive)
    assert shrunk.why == ""
    assert shrunk.before - shrunk.after >= 1 << 20
    assert archive.path.stat().st_size == shrunk.after
    archive.conn.execute("BEGIN")
    refused = vacuum_archive(archive)
    archive.conn.execute("ROLLBACK")
    assert "VACUUM" in refused.why
    assert refused.after == refused.before
    assert check_archive(archive.conn).damage == ()


def test_a_reader_that_is_still_open_is_reported(archive: Archive) -> None:
    fill(archive)
    archive.conn.execute("PRAGMA busy_timeout = 10")
    reader = archive.open_read_connection()
    reader.execute("BEGIN")
    held = reader.execute("SELECT count(*) FROM bodies").fetchone()
    forget_snapshots(archive, [1, 2])
    assert "another program reads" in vacuum_archive(archive).why
    assert reader.execute("SELECT count(*) FROM bodies").fetchone() == held
    reader.close()
    assert vacuum_archive(archive).why == ""


def test_a_thousand_snapshots(archive: Archive) -> None:
    for number in range(1000):
        write(archive, changed(f"model-{number // 10}", "file-a"))
    done = forget_snapshots(archive, range(1, 994))
    assert (done.snapshots, len(list_snapshots(archive.conn))) == (993, 7)
    assert rows(archive, "bodies") == len(ESTATE) + 1
    assert check_archive(archive.conn).damage == ()
